//! A store in memory that can be away, and that shows what it was asked. What joining means is the real store's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::event::Outcome;
use domain::{Alarm, FinalState, ForBank, Happened, Millis, Submission, UaopId, UserMessage};
use store::StoreError;
use store::center::{
    AlarmView, CenterStore, Counts, Fact, Figure, Joined, MessageView, OrphanView, Page, SetAside, Stage,
    Wanted,
};

#[derive(Clone, Default)]
pub struct FakeStore(Arc<Mutex<Inner>>);

#[derive(Default)]
pub struct Inner {
    pub away: bool,
    /// A fact about this message is refused, whatever stands beside it.
    pub hates: Option<UaopId>,
    /// Marking what is published fails.
    pub forgetful: bool,
    pub joins: usize,
    pub facts: Vec<Fact>,
    pub alarms: Vec<Alarm>,
    pub known: Vec<(String, String)>,
    pub aside: Vec<SetAside>,
    pub outbox: BTreeMap<i64, ForBank>,
    pub orders: BTreeMap<UaopId, (Submission, Option<UaopId>)>,
    pub waiting: Vec<Submission>,
    /// `before` of each question for overdue messages, and those still to be found.
    pub overdue: (Vec<Millis>, u64),
    pub forgotten: Vec<Millis>,
}

impl FakeStore {
    pub fn open(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn works(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        let inner = self.open();
        if inner.away { Err(StoreError::DiskFull { file: PathBuf::from("/fake") }) } else { Ok(inner) }
    }
}

impl Inner {
    pub fn copies(&self) -> Vec<&domain::MessageCopy> {
        let copies = self.facts.iter().filter_map(|fact| match fact {
            Fact::Copy(copy) => Some(copy),
            Fact::Told(_) | Fact::Mo(_) => None,
        });
        copies.collect()
    }

    pub fn mos(&self) -> Vec<&UserMessage> {
        let mos = self.facts.iter().filter_map(|fact| match fact {
            Fact::Mo(mo) => Some(mo),
            Fact::Told(_) | Fact::Copy(_) => None,
        });
        mos.collect()
    }

    fn view(&self, copy: &domain::MessageCopy) -> MessageView {
        let id = &copy.submission.uaop_id;
        let stage = self.facts.iter().rev().find_map(|fact| match fact {
            Fact::Told(told) => match &told.event.happened {
                Happened::Finished { uaop_id, outcome } if uaop_id == id => Some(match outcome {
                    Outcome::Accepted => Stage::Answered,
                    Outcome::Refused { .. } => Stage::Final(FinalState::Refused),
                    Outcome::Uncertain => Stage::Final(FinalState::Uncertain),
                    Outcome::Expired => Stage::Final(FinalState::Expired),
                }),
                _ => None,
            },
            Fact::Copy(_) | Fact::Mo(_) => None,
        });
        MessageView {
            uaop_id: id.clone(),
            submission: Some(copy.submission.clone()),
            at: copy.at,
            site: Some(copy.site.clone()),
            gateway: None,
            carrier: None,
            stage: stage.unwrap_or(Stage::Routed),
            report: None,
            parts: Vec::new(),
            resend_of: None,
        }
    }
}

fn id_of(fact: &Fact) -> Option<&UaopId> {
    match fact {
        Fact::Copy(copy) => Some(&copy.submission.uaop_id),
        Fact::Told(_) | Fact::Mo(_) => None,
    }
}

#[async_trait]
impl CenterStore for FakeStore {
    async fn join(&self, facts: Vec<Fact>, _: Millis) -> Result<Joined, StoreError> {
        let mut inner = self.works()?;
        inner.joins += 1;
        if inner.hates.is_some() && facts.iter().any(|fact| id_of(fact) == inner.hates.as_ref()) {
            return Err(StoreError::Rejected {
                file: PathBuf::from("/fake"),
                detail: "not this one".to_owned(),
            });
        }
        let mut joined = Joined::default();
        for fact in facts {
            if inner.facts.contains(&fact) {
                joined.known += 1;
            } else {
                inner.facts.push(fact);
            }
        }
        Ok(joined)
    }

    async fn overdue(&self, before: Millis, _: Millis, most: usize) -> Result<u64, StoreError> {
        let mut inner = self.works()?;
        inner.overdue.0.push(before);
        let found = inner.overdue.1.min(most as u64);
        inner.overdue.1 -= found;
        Ok(found)
    }

    async fn outbox(&self, most: usize) -> Result<Vec<(i64, ForBank)>, StoreError> {
        Ok(self.works()?.outbox.iter().take(most).map(|(place, row)| (*place, row.clone())).collect())
    }

    async fn published(&self, places: Vec<i64>) -> Result<(), StoreError> {
        let mut inner = self.works()?;
        if inner.forgetful {
            return Err(StoreError::DiskFull { file: PathBuf::from("/fake") });
        }
        inner.outbox.retain(|place, _| !places.contains(place));
        Ok(())
    }

    async fn set_aside(&self, records: Vec<SetAside>) -> Result<(), StoreError> {
        self.works()?.aside.extend(records);
        Ok(())
    }

    async fn aside(&self, after: i64, most: usize) -> Result<Vec<(i64, SetAside)>, StoreError> {
        let numbered = (1..).zip(self.works()?.aside.clone());
        Ok(numbered.filter(|(id, _)| *id > after).take(most).collect())
    }

    async fn message(&self, id: &UaopId) -> Result<Option<MessageView>, StoreError> {
        let inner = self.works()?;
        Ok(inner
            .copies()
            .into_iter()
            .find(|copy| copy.submission.uaop_id == *id)
            .map(|copy| inner.view(copy)))
    }

    async fn messages(&self, wanted: &Wanted) -> Result<Page<MessageView>, StoreError> {
        let inner = self.works()?;
        let first: usize = wanted.after.as_ref().map_or(0, |after| after.parse().unwrap());
        let views: Vec<MessageView> = inner.copies().into_iter().rev().map(|copy| inner.view(copy)).collect();
        let rows: Vec<MessageView> = views.iter().skip(first).take(wanted.most).cloned().collect();
        let end = first + rows.len();
        Ok(Page { rows, next: (end < views.len()).then(|| end.to_string()) })
    }

    async fn user_messages(&self, _: &Wanted) -> Result<Page<UserMessage>, StoreError> {
        Ok(Page { rows: self.works()?.mos().into_iter().cloned().collect(), next: None })
    }

    async fn orphans(&self, _: i64, _: usize) -> Result<Vec<(i64, OrphanView)>, StoreError> {
        self.works().map(|_| Vec::new())
    }

    async fn figures(&self, first: &str, _: &str) -> Result<Vec<Figure>, StoreError> {
        drop(self.works()?);
        let finals = [(FinalState::Delivered, 3)].into_iter().collect();
        let (empi, class) = ("bank-1".parse().unwrap(), "notice".parse().unwrap());
        let day = first.to_owned();
        Ok(vec![Figure { day, empi, class, carrier: None, messages: 4, parts: 5, finals }])
    }

    async fn alarm(&self, alarms: Vec<Alarm>) -> Result<(), StoreError> {
        self.works()?.alarms.extend(alarms);
        Ok(())
    }

    async fn alarms(&self, over: bool, most: usize) -> Result<Vec<AlarmView>, StoreError> {
        let inner = self.works()?;
        let mut last: BTreeMap<(&str, &str), &Alarm> = BTreeMap::new();
        for alarm in &inner.alarms {
            last.insert((&alarm.what, &alarm.of), alarm);
        }
        let shown = last.into_values().filter(|alarm| over || alarm.raised).take(most);
        let view = |alarm: &Alarm| AlarmView {
            alarm: alarm.clone(),
            first_at: alarm.at,
            times: 1,
            seen_by: vec![format!("{} {} {}", alarm.role, alarm.node, alarm.site)],
            known_at: None,
        };
        Ok(shown.map(view).collect())
    }

    async fn know(&self, what: &str, of: &str, _: Millis) -> Result<bool, StoreError> {
        let mut inner = self.works()?;
        let there = inner.alarms.iter().any(|alarm| alarm.what == what && alarm.of == of);
        inner.known.push((what.to_owned(), of.to_owned()));
        Ok(there)
    }

    async fn order(
        &self,
        orders: Vec<(Submission, Option<UaopId>)>,
        _: Millis,
    ) -> Result<Vec<bool>, StoreError> {
        let mut inner = self.works()?;
        let new = orders.into_iter().map(|(submission, of)| {
            let new = !inner.orders.contains_key(&submission.uaop_id);
            if new {
                inner.waiting.push(submission.clone());
                inner.orders.insert(submission.uaop_id.clone(), (submission, of));
            }
            new
        });
        Ok(new.collect())
    }

    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, StoreError> {
        let numbered = (1..).zip(self.works()?.waiting.clone());
        Ok(numbered.filter(|(place, _)| *place > after).take(most).collect())
    }

    async fn handed(&self, ids: Vec<UaopId>) -> Result<(), StoreError> {
        self.works()?.waiting.retain(|submission| !ids.contains(&submission.uaop_id));
        Ok(())
    }

    async fn forget(&self, before: Millis, _: usize) -> Result<u64, StoreError> {
        self.works()?.forgotten.push(before);
        Ok(0)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let inner = self.works()?;
        let messages = inner.copies().len() as u64;
        let set_aside = inner.aside.len() as u64;
        Ok(Counts { messages, set_aside, outbox: inner.outbox.len() as u64, ..Counts::default() })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.works().map(drop)
    }
}
