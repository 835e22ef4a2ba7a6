//! Reports and users' messages: fetch them, wait for them.

#![expect(unused_qualifications, reason = "in what the macro makes")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use domain::ForBank;
use serde::Deserialize;
use store::empi::Item;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::Api;
use super::messages::unread;
use super::shapes::Reports;
use crate::clock::told;
use crate::door::Client;
use crate::problem::{Code, Failure, Problem};

/// The longest that a request may wait, in seconds.
const LONGEST_WAIT: u64 = 60;
/// The most items in an answer.
const MOST: u16 = 1000;

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `next` of the answer before; left out: from the beginning.
    after: Option<i64>,
    /// At most so many items: 1 to 1000; 100 if left out.
    #[param(minimum = 1, maximum = 1000)]
    most: Option<u16>,
    /// If there are none, wait for them, so many seconds at most: 0 to 60; 0 if left out.
    #[param(maximum = 60)]
    wait: Option<u64>,
    /// `report`, `mo`, or both with a comma between them; both if left out.
    kinds: Option<String>,
}

#[derive(Clone, Copy)]
struct Kinds {
    reports: bool,
    mo: bool,
}

/// Reports and users' messages after a cursor, oldest first. The cursor is the same on both front-ends of a pair.
#[utoipa::path(
    get, path = "/v1/reports", params(Wanted),
    responses(
        (status = 200, description = "What there is", body = Reports),
        (status = "4XX", description = "The question is wrong", body = Failure),
        (status = 503, description = "Try again", body = Failure),
    ),
)]
pub(super) async fn reports(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Arc<Client>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Reports>, Problem> {
    let problem = |message: &str| Problem::new(Code::BadQuery, message);
    let Query(wanted) = wanted.map_err(|_| problem("after, most, wait and kinds are possible"))?;
    let most = wanted.most.unwrap_or(100);
    if !(1..=MOST).contains(&most) {
        return Err(problem("`most` is not from 1 to 1000"));
    }
    let wait = wanted.wait.unwrap_or(0);
    if wait > LONGEST_WAIT {
        return Err(problem("`wait` is more than 60 seconds"));
    }
    let kinds = kinds(wanted.kinds.as_deref()).ok_or_else(|| problem("`kinds` is none of report, mo"))?;
    let deadline = Instant::now() + Duration::from_secs(wait);
    api.families.polls.inc();
    let found = wait_for(&api, &client, wanted.after, most.into(), kinds, deadline).await;
    api.families.polls.dec();
    let (items, next) = found?;
    Ok(Json(Reports { items: items.into_iter().map(Into::into).collect(), next }))
}

fn kinds(text: Option<&str>) -> Option<Kinds> {
    let Some(text) = text else { return Some(Kinds { reports: true, mo: true }) };
    text.split(',').try_fold(Kinds { reports: false, mo: false }, |kinds, word| match word {
        "report" => Some(Kinds { reports: true, ..kinds }),
        "mo" => Some(Kinds { mo: true, ..kinds }),
        _ => None,
    })
}

impl Kinds {
    const fn has(self, item: &ForBank) -> bool {
        match item {
            ForBank::Report(_) => self.reports,
            ForBank::Mo(_) => self.mo,
        }
    }
}

/// What there is, and the cursor of the last that was looked at.
async fn wait_for(
    api: &Api,
    client: &Client,
    mut after: Option<i64>,
    most: usize,
    kinds: Kinds,
    deadline: Instant,
) -> Result<(Vec<Item>, Option<i64>), Problem> {
    let (mut kept, mut stopping) = (api.kept.clone(), api.stopping.clone());
    loop {
        // what comes from here on wakes it
        kept.mark_unchanged();
        let from = after.unwrap_or(FIRST);
        let mut items = api.store.items(&client.bank, from, most).await.map_err(|error| unread(&error))?;
        let full = items.len() >= most;
        after = items.last().map(|item| item.cursor).or(after);
        items.retain(|item| kinds.has(&item.item));
        if !items.is_empty() {
            return Ok((items, after));
        }
        if full {
            continue;
        }
        let recheck = api.recheck.map_or(deadline, |pause| deadline.min(Instant::now() + pause));
        tokio::select! {
            biased;
            () = told(&mut stopping) => return Ok((items, after)),
            () = tokio::time::sleep_until(deadline) => return Ok((items, after)),
            () = tokio::time::sleep_until(recheck) => {}
            changed = kept.changed() => if changed.is_err() {
                return Ok((items, after));
            }
        }
    }
}

/// Before every cursor.
const FIRST: i64 = -1;
