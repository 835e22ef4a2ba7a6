//! New settings, without an election.

use std::time::Instant;

use super::super::action::{Action, Actions};
use super::super::settings::Settings;
use super::{Machine, Phase};

impl Machine {
    /// The state stays. What is advertised or installed follows at once where it is another now.
    pub fn reconfigure(&mut self, now: Instant, settings: Settings) -> Actions {
        let mut out = Actions::default();
        let before = std::mem::replace(&mut self.settings, settings);
        self.eligibility_changed(now, self.eligibility, self.settings.priority, &mut out);
        let priority = self.priority();
        let interval = self.settings.interval;
        match &mut self.phase {
            Phase::Active(active) => {
                if !self.settings.addresses.same_set(&before.addresses) {
                    self.term = self.term.next();
                    active.reinstall();
                    out.push(Action::InstallAddresses(self.term));
                }
                if interval != before.interval {
                    active.advertise(now, &self.settings, priority, &mut out);
                }
            }
            // nobody will say that the group is ready
            Phase::Backup(backup) if !self.settings.grouped && backup.is_ready() => backup.wait_no_longer(),
            Phase::Backup(backup) if self.peers.active.is_none() => backup.set_interval(interval),
            Phase::Initialize | Phase::Backup(_) | Phase::Fault(_) => {}
        }
        out
    }
}
