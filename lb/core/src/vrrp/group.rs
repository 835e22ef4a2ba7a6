//! A sync group: virtual routers of one host that are Active together or not at all.
//!
//! It stands above its members' [machines](super::Machine): it reads what they want done and tells them of each
//! other. A member whose timer expires says that it is ready and waits; when all are, all take over. So one
//! link that loses packets moves nothing, and a dead peer moves everything.

use super::action::{Action, Actions, FaultReason, State};
use super::event::Event;
use super::machine::Machine;

/// Of members 0, 1, …
#[derive(Clone, Debug)]
pub struct Group {
    members: Vec<Member>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    state: State,
    ready: bool,
    /// Whether it was told that another is at fault.
    told_fault: bool,
}

impl Group {
    /// Of so many members, all in Initialize.
    pub fn new(members: usize) -> Self {
        let member = Member { state: State::Initialize, ready: false, told_fault: false };
        Self { members: vec![member; members] }
    }

    /// Of members that live already, whatever group they were in.
    pub fn of<'a>(members: impl IntoIterator<Item = &'a Machine>) -> Self {
        let member = |machine: &Machine| Member {
            state: machine.state(),
            ready: machine.waits_for_group(),
            told_fault: machine.has_group_fault(),
        };
        Self { members: members.into_iter().map(member).collect() }
    }

    /// What the actions of one member mean to others: events for members, whose actions are to be shown again.
    #[must_use = "members that are not told do not move together"]
    pub fn on_actions(&mut self, member: usize, actions: &Actions) -> Vec<(usize, Event)> {
        let mut lost = false;
        let Some(this) = self.members.get_mut(member) else {
            return Vec::new();
        };
        for action in actions.as_slice() {
            match action {
                Action::Notify { state, .. } => {
                    lost |= (this.state, *state) == (State::Active, State::Backup);
                    this.state = *state;
                    this.ready = false;
                }
                Action::Ready(ready) => this.ready = *ready,
                Action::SendAdvert { .. }
                | Action::InstallAddresses(_)
                | Action::RemoveAddresses
                | Action::Announce(_)
                | Action::Probe
                | Action::Record(_) => {}
            }
        }
        let mut events = self.faults();
        if lost {
            events.extend(self.yields());
        }
        events.extend(self.ready());
        events
    }

    fn faults(&mut self) -> Vec<(usize, Event)> {
        let own_fault: Vec<_> = self.members.iter().map(Member::has_own_fault).collect();
        let mut events = Vec::new();
        for (index, member) in self.members.iter_mut().enumerate() {
            let fault = own_fault.iter().enumerate().any(|(other, &fault)| fault && other != index);
            if std::mem::replace(&mut member.told_fault, fault) != fault {
                events.push((index, Event::GroupFault(fault)));
            }
        }
        events
    }

    fn yields(&self) -> Vec<(usize, Event)> {
        self.with(|member| member.state == State::Active).map(|index| (index, Event::GroupYields)).collect()
    }

    fn ready(&mut self) -> Vec<(usize, Event)> {
        let all = self.members.iter().all(|member| member.ready || member.state == State::Active);
        if !all {
            return Vec::new();
        }
        self.with(|member| member.ready).map(|index| (index, Event::GroupReady)).collect()
    }

    fn with(&self, is: impl Fn(&Member) -> bool) -> impl Iterator<Item = usize> {
        self.members.iter().enumerate().filter(move |(_, member)| is(member)).map(|(index, _)| index)
    }
}

impl Member {
    fn has_own_fault(&self) -> bool {
        match self.state {
            State::Initialize | State::Backup | State::Active | State::Fault(FaultReason::GroupMember) => {
                false
            }
            State::Fault(
                FaultReason::InterfaceDown | FaultReason::NotEligible | FaultReason::AddressInstallFailed,
            ) => true,
        }
    }
}
