//! Why a connection ended: the reason codes of access records and metrics.

use lb_core::limit::Refused;
use lb_core::pool::{CloseReason, NoServer};

/// Why a connection ended. Every code is described in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    // it was served
    ClientClosed,
    ServerClosed,
    ClientReset,
    ServerReset,
    ClientTimeout,
    ServerTimeout,
    // it was served, and lb ended it
    Idle,
    MaxAge,
    ServerDown,
    ServerRemoved,
    ServerMaintenance,
    ServerMoved,
    PrimaryReturned,
    Shutdown,
    // it was refused
    Denied,
    ListenerFull,
    SourceFull,
    SourceRate,
    ProxyHeader,
    ProxyHeaderTimeout,
    // it found no server
    NoServer,
    ServersFull,
    ConnectFailed,
    LocalFault,
}

impl EndReason {
    /// Every reason, in the order of its declaration.
    pub const ALL: [Self; 24] = [
        Self::ClientClosed,
        Self::ServerClosed,
        Self::ClientReset,
        Self::ServerReset,
        Self::ClientTimeout,
        Self::ServerTimeout,
        Self::Idle,
        Self::MaxAge,
        Self::ServerDown,
        Self::ServerRemoved,
        Self::ServerMaintenance,
        Self::ServerMoved,
        Self::PrimaryReturned,
        Self::Shutdown,
        Self::Denied,
        Self::ListenerFull,
        Self::SourceFull,
        Self::SourceRate,
        Self::ProxyHeader,
        Self::ProxyHeaderTimeout,
        Self::NoServer,
        Self::ServersFull,
        Self::ConnectFailed,
        Self::LocalFault,
    ];

    pub const fn code(self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::ServerClosed => "server_closed",
            Self::ClientReset => "client_reset",
            Self::ServerReset => "server_reset",
            Self::ClientTimeout => "client_timeout",
            Self::ServerTimeout => "server_timeout",
            Self::Idle => "idle",
            Self::MaxAge => "max_age",
            Self::ServerDown => "server_down",
            Self::ServerRemoved => "server_removed",
            Self::ServerMaintenance => "server_maintenance",
            Self::ServerMoved => "server_moved",
            Self::PrimaryReturned => "primary_returned",
            Self::Shutdown => "shutdown",
            Self::Denied => "denied",
            Self::ListenerFull => "listener_full",
            Self::SourceFull => "source_full",
            Self::SourceRate => "source_rate",
            Self::ProxyHeader => "proxy_header",
            Self::ProxyHeaderTimeout => "proxy_header_timeout",
            Self::NoServer => "no_server",
            Self::ServersFull => "servers_full",
            Self::ConnectFailed => "connect_failed",
            Self::LocalFault => "local_fault",
        }
    }

    /// Whether the streams may have been cut in the middle, so that both sides must see an RST, not a FIN.
    pub const fn is_cut(self) -> bool {
        match self {
            Self::ClientClosed
            | Self::ServerClosed
            | Self::Idle
            | Self::MaxAge
            | Self::PrimaryReturned
            | Self::Shutdown => false,
            Self::ClientReset
            | Self::ServerReset
            | Self::ClientTimeout
            | Self::ServerTimeout
            | Self::ServerDown
            | Self::ServerRemoved
            | Self::ServerMaintenance
            | Self::ServerMoved
            | Self::Denied
            | Self::ListenerFull
            | Self::SourceFull
            | Self::SourceRate
            | Self::ProxyHeader
            | Self::ProxyHeaderTimeout
            | Self::NoServer
            | Self::ServersFull
            | Self::ConnectFailed
            | Self::LocalFault => true,
        }
    }
}

impl From<CloseReason> for EndReason {
    fn from(reason: CloseReason) -> Self {
        match reason {
            CloseReason::ServerDown => Self::ServerDown,
            CloseReason::PrimaryReturned => Self::PrimaryReturned,
            CloseReason::Removed => Self::ServerRemoved,
            CloseReason::AddressChanged => Self::ServerMoved,
            CloseReason::Maint => Self::ServerMaintenance,
        }
    }
}

impl From<NoServer> for EndReason {
    fn from(reason: NoServer) -> Self {
        match reason {
            NoServer::Down => Self::NoServer,
            NoServer::Full => Self::ServersFull,
            NoServer::Exhausted => Self::ConnectFailed,
        }
    }
}

impl From<Refused> for EndReason {
    fn from(reason: Refused) -> Self {
        match reason {
            Refused::Connections => Self::SourceFull,
            Refused::Rate => Self::SourceRate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EndReason;

    #[test]
    fn all_is_in_the_order_of_the_declaration() {
        for (position, reason) in EndReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, position, "{reason:?}");
        }
    }
}
