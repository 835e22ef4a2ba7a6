//! Sending to given numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{Class, MessageText, Millis, Number, Submission};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use super::extract::{Body, Failures, Problem, Refusal, Sender};
use crate::config::Operator;
use crate::own;

/// Messages of one request at most.
pub(super) const MOST_ORDERS: usize = 1000;
/// Characters of a text at most; what no gateway splits is refused by it.
const LONGEST_TEXT: usize = 5000;

/// What is to be sent to whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// Up to 1000 numbers.
    to: Vec<String>,
    text: String,
    class: String,
    /// Your own name for this, 1 to 64 characters: the same request with it again sends nothing twice.
    reference: String,
    /// Whether a report is wanted.
    #[serde(default = "yes")]
    report: bool,
    /// 0 to 9; the highest is sent first.
    #[serde(default)]
    priority: u8,
    /// Not to be sent after this moment, in milliseconds since 1970.
    #[serde(default)]
    not_after: Option<u64>,
}

fn yes() -> bool {
    true
}

/// What became of one number, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Ordered {
    /// `ordered`, `duplicate` (it was ordered before), `refused`.
    pub(super) outcome: &'static str,
    /// The message, to ask for.
    pub(super) uaop_id: Option<String>,
    /// Why it is refused.
    pub(super) reason: Option<String>,
}

impl Ordered {
    fn refused(reason: impl Into<String>) -> Self {
        Self { outcome: "refused", uaop_id: None, reason: Some(reason.into()) }
    }
}

/// Sends a text to numbers. What is ordered is stored; what becomes of it, `/v1/messages/{uaop_id}` says.
#[utoipa::path(
    post,
    path = "/v1/send",
    request_body = Order,
    responses((status = OK, body = Vec<Ordered>), (status = UNPROCESSABLE_ENTITY, body = Problem), Failures),
    security(("token" = []))
)]
pub(super) async fn send(
    Sender(operator): Sender,
    State(desk): State<Arc<Desk>>,
    Body(order): Body<Order>,
) -> Result<Json<Vec<Ordered>>, Refusal> {
    let own = desk.own.as_ref().ok_or_else(no_uaops)?;
    check(&order)?;
    let class: Class = order.class.parse().map_err(|error| Refusal::bad(format!("class {error}")))?;
    let mut answers = Vec::new();
    // each with the place of its answer
    let mut orders: Vec<(usize, Submission)> = Vec::new();
    let mut seen = BTreeSet::new();
    for text in &order.to {
        let submission = text
            .trim()
            .parse::<Number>()
            .map_err(|error| format!("the number {error}"))
            .and_then(|to| submission(&desk, &operator, &order, &class, to));
        match submission {
            Err(reason) => answers.push(Ordered::refused(reason)),
            Ok(submission) => {
                let uaop_id = Some(submission.uaop_id.to_string());
                answers.push(Ordered { outcome: "duplicate", uaop_id, reason: None });
                if seen.insert(submission.uaop_id.clone()) {
                    orders.push((answers.len() - 1, submission));
                }
            }
        }
    }
    let now = desk.clock.now();
    for (place, submission) in &orders {
        if let Some(reason) = conflict(&desk, submission).await? {
            answers[*place] = Ordered::refused(reason);
        }
    }
    orders.retain(|(place, _)| answers[*place].outcome == "duplicate");
    let places: Vec<usize> = orders.iter().map(|(place, _)| *place).collect();
    let new =
        desk.store.order(orders.into_iter().map(|(_, submission)| (submission, None)).collect(), now).await?;
    let mut count = 0;
    for (place, _) in places.into_iter().zip(new).filter(|(_, new)| *new) {
        answers[place].outcome = "ordered";
        count += 1;
    }
    own.more.notify_one();
    desk.families.own.with_label_values(&["ordered"]).inc_by(count);
    let asked = order.to.len();
    tracing::info!(target: "access", operator = operator.name, action = "send", asked, ordered = count, "an operator sends");
    Ok(Json(answers))
}

pub(super) fn no_uaops() -> Refusal {
    Refusal::away("this center sends nothing: its file has no `uaops`")
}

fn check(order: &Order) -> Result<(), Refusal> {
    let fault = if order.to.is_empty() || order.to.len() > MOST_ORDERS {
        format!("to: write 1 to {MOST_ORDERS} numbers")
    } else if order.text.is_empty() || order.text.chars().count() > LONGEST_TEXT {
        format!("text: write 1 to {LONGEST_TEXT} characters")
    } else if order.text.contains('\0') {
        "text: holds a zero character".to_owned()
    } else if order.reference.is_empty() || order.reference.chars().count() > 64 {
        "reference: write 1 to 64 characters".to_owned()
    } else if order.priority > 9 {
        "priority: write a number from 0 to 9".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::bad(fault))
}

fn submission(
    desk: &Desk,
    operator: &Operator,
    order: &Order,
    class: &Class,
    to: Number,
) -> Result<Submission, String> {
    let id = own::id_of(&desk.empi, &operator.name, &order.reference, &to);
    Ok(Submission {
        uaop_id: id.map_err(|error| error.to_string())?,
        empi_id: desk.empi.clone(),
        class: class.clone(),
        account: None,
        to,
        extension: String::new(),
        text: MessageText(order.text.clone()),
        report: order.report,
        priority: order.priority,
        not_after: order.not_after.map(Millis),
    })
}

/// A reference that was used for another text.
async fn conflict(desk: &Desk, submission: &Submission) -> Result<Option<&'static str>, Refusal> {
    let known = desk.store.message(&submission.uaop_id).await?.and_then(|view| view.submission);
    let differs = known.is_some_and(|known| known.text != submission.text || known.class != submission.class);
    Ok(differs.then_some("this reference was used for another text or class"))
}
