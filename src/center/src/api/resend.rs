//! Sending chosen messages again.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{FinalState, Submission, UaopId};
use serde::{Deserialize, Serialize};
use store::center::{MessageView, Stage};
use utoipa::ToSchema;

use super::Desk;
use super::extract::{Body, Failures, Problem, Refusal, Sender};
use super::send::{MOST_ORDERS, no_uaops};

/// How often a message may be sent again.
const MOST_RESENDS: u32 = 99;

/// Which messages.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// Their `uaop_id`, up to 1000.
    ids: Vec<String>,
    /// Also those that were delivered, or have no end yet: their receivers may read them twice.
    #[serde(default)]
    anyway: bool,
}

/// What became of one id, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Resent {
    uaop_id: String,
    /// `ordered`, `refused`, `unknown`.
    outcome: &'static str,
    /// The new message, to ask for.
    resend_id: Option<String>,
    /// Why it is refused.
    reason: Option<String>,
}

/// Sends messages again, each as a new message of the center.
#[utoipa::path(
    post,
    path = "/v1/resend",
    request_body = Again,
    responses((status = OK, body = Vec<Resent>), (status = UNPROCESSABLE_ENTITY, body = Problem), Failures),
    security(("token" = []))
)]
pub(super) async fn resend(
    Sender(operator): Sender,
    State(desk): State<Arc<Desk>>,
    Body(again): Body<Again>,
) -> Result<Json<Vec<Resent>>, Refusal> {
    let own = desk.own.as_ref().ok_or_else(no_uaops)?;
    if again.ids.is_empty() || again.ids.len() > MOST_ORDERS {
        return Err(Refusal::bad(format!("ids: write 1 to {MOST_ORDERS} of them")));
    }
    let mut seen = BTreeSet::new();
    let mut answers = Vec::new();
    for id in &again.ids {
        let outcome = if seen.insert(id) {
            one(&desk, id, again.anyway).await?
        } else {
            Outcome::refused("it stands here twice")
        };
        answers.push(outcome.of(id));
    }
    own.more.notify_one();
    let count = answers.iter().filter(|answer| answer.outcome == "ordered").count();
    desk.families.own.with_label_values(&["ordered"]).inc_by(count as u64);
    let asked = again.ids.len();
    tracing::info!(target: "access", operator = operator.name, action = "resend", asked, ordered = count, "an operator sends again");
    Ok(Json(answers))
}

enum Outcome {
    Ordered(UaopId),
    Refused(String),
    Unknown,
}

impl Outcome {
    fn refused(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }

    fn of(self, id: &str) -> Resent {
        let (outcome, resend_id, reason) = match self {
            Self::Ordered(new) => ("ordered", Some(new.to_string()), None),
            Self::Refused(reason) => ("refused", None, Some(reason)),
            Self::Unknown => ("unknown", None, None),
        };
        Resent { uaop_id: id.to_owned(), outcome, resend_id, reason }
    }
}

async fn one(desk: &Desk, id: &str, anyway: bool) -> Result<Outcome, Refusal> {
    let Ok(id) = id.parse::<UaopId>() else { return Ok(Outcome::Unknown) };
    let Some(view) = desk.store.message(&id).await? else { return Ok(Outcome::Unknown) };
    if let Some(reason) = against(desk, &view, anyway) {
        return Ok(Outcome::refused(reason));
    }
    let Some(submission) = view.submission else {
        return Ok(Outcome::refused("its copy has not come yet: nobody knows its text"));
    };
    for number in 1..=MOST_RESENDS {
        let Ok(new) = format!("{id}-r{number}").parse::<UaopId>() else {
            return Ok(Outcome::refused("its id is too long for another one to be made of it"));
        };
        let order = (afresh(desk, &submission, new.clone()), Some(id.clone()));
        if desk.store.order(vec![order], desk.clock.now()).await?.first() == Some(&true) {
            return Ok(Outcome::Ordered(new));
        }
    }
    Ok(Outcome::refused("it was sent again too often"))
}

fn against(desk: &Desk, view: &MessageView, anyway: bool) -> Option<&'static str> {
    let class = view.submission.as_ref().map(|submission| &submission.class);
    if class.is_some_and(|class| !desk.classes.resend(class)) {
        return Some("messages of its class are not sent again (`classes` in the center's file)");
    }
    match view.stage {
        _ if anyway => None,
        Stage::Routed | Stage::Pushed | Stage::Answered => {
            Some("it has no end yet; `anyway` sends it all the same")
        }
        Stage::Final(FinalState::Delivered) => Some("it was delivered; `anyway` sends it all the same"),
        Stage::Final(
            FinalState::Failed
            | FinalState::Refused
            | FinalState::Expired
            | FinalState::Uncertain
            | FinalState::Unknown,
        ) => None,
    }
}

/// The same to the same receiver, routed anew; its old time is over.
fn afresh(desk: &Desk, submission: &Submission, uaop_id: UaopId) -> Submission {
    Submission {
        uaop_id,
        empi_id: desk.empi.clone(),
        account: None,
        report: true,
        not_after: None,
        ..submission.clone()
    }
}
