//! What goes over the administration socket, besides [`crate::control::Report`] and [`crate::control::Preview`].

use lb_core::pool::AdminState;
use serde::{Deserialize, Serialize};
use settings::Fault;

/// `POST /pools/{pool}/servers/{server}/state`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct SetState {
    pub state: AdminState,
}

/// `POST /pools/{pool}/servers/{server}/weight`; `None` = the file's.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct SetWeight {
    pub weight: Option<u16>,
}

/// `GET /timeline?after=&last=`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Which {
    /// Only entries after this one.
    pub after: Option<u64>,
    /// Of these, only the last so many.
    pub last: Option<usize>,
}

/// The answer to `POST /vrrp/{name}/release` and `…/take`: the wish was passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Asked {
    /// Its entry in the timeline; what came of it is after it.
    pub sequence: u64,
}

/// Why something was not done.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Problem {
    pub error: String,
    /// What is wrong with the configuration, if that is why.
    #[serde(default)]
    pub faults: Vec<Fault>,
}
