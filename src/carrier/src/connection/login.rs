//! Who it is.

use std::sync::Arc;

use wire::protocol::{Login, Moment, Refusal, Welcome};

use super::{Connection, Member};
use crate::account::{Link, Load};
use crate::clock::millis;
use crate::config::{Account as AccountConfig, AccountProtocol, Mode};
use crate::protocol::Carrier;

impl<P: Carrier> Connection<P> {
    /// Answers a login, or keeps it while the account is paused.
    pub(super) fn decide(&mut self, login: &Login, now: Moment) {
        let account = self.shared.account(P::FAMILY, &login.id);
        let Some(account) = account else { return self.refuse(Refusal::Authentication, now) };
        let config = &account.config;
        let Some((submits, carries)) = rights(config, login.mode) else {
            return self.refuse(Refusal::Mode, now);
        };
        let member = Member {
            account: Arc::clone(&account),
            behaviour: account.behaviour(),
            submits,
            carries,
            joined: false,
        };
        self.member = Some(member);
        if self.paused() {
            self.login = Some(*login);
            return;
        }
        if !account.permits(self.peer.ip()) {
            return self.refuse(Refusal::Address, now);
        }
        let version = config.protocol.version();
        if login.version.0 >> 4 != version.0 >> 4 {
            return self.refuse(Refusal::Version, now);
        }
        if account.is_full() {
            return self.refuse(Refusal::TooManyConnections, now);
        }
        let limits = self.shared.limits::<P>(config.window, None);
        match self.session.accept(&config.secret, version, limits, now) {
            Ok(()) => {
                if let AccountProtocol::Sgip12(sgip) = &config.protocol {
                    self.idle = sgip.idle;
                }
                self.join(false);
            }
            Err(why) => self.refused(why),
        }
    }

    /// Logged in. A server has joined its account before, so that no other could take its place.
    pub(super) fn up(&mut self, _: Welcome) {
        if self.member.as_ref().is_some_and(|member| !member.joined) {
            self.join(true);
        }
        tracing::info!(peer = %self.peer, account = self.account_name(), connection = self.id, "logged in");
    }

    fn join(&mut self, dialled: bool) {
        let Some(member) = &mut self.member else { return };
        member.joined = true;
        let link = Link {
            peer: self.peer,
            carries: member.carries,
            dialled,
            since: millis(),
            wake: Arc::clone(&self.wake),
            orders: Vec::new(),
            load: Load::default(),
        };
        member.account.join(self.id, link);
    }

    fn refuse(&mut self, why: Refusal, now: Moment) {
        self.session.refuse(why, now);
        self.refused(why);
    }

    fn refused(&self, why: Refusal) {
        let reason = match why {
            Refusal::Authentication => "authentication",
            Refusal::Version => "version",
            Refusal::TooManyConnections => "connections",
            Refusal::Mode => "mode",
            Refusal::Repeated => "repeated",
            Refusal::Address => "address",
        };
        self.shared.families.logins_refused.with_label_values(&[P::FAMILY.name(), reason]).inc();
        tracing::warn!(peer = %self.peer, account = self.account_name(), reason, "login refused");
    }
}

/// Whether a connection that logs in so may submit, and whether it carries reports and MO; `None` if it may not log in.
fn rights(account: &AccountConfig, mode: u8) -> Option<(bool, bool)> {
    match &account.protocol {
        AccountProtocol::Cmpp20 | AccountProtocol::Cmpp30 => Some((true, true)),
        // 1: the customer to the gateway
        AccountProtocol::Sgip12(sgip) => (mode == 1).then_some((true, sgip.duplex)),
        AccountProtocol::Smgp30 { modes } => {
            let mode = modes.iter().find(|allowed| allowed.number() == mode)?;
            Some((*mode != Mode::Receive, *mode != Mode::Send))
        }
    }
}
