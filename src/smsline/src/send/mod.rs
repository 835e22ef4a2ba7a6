//! `smsline send`.

mod batches;
mod outcomes;
mod progress;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::process::ExitCode;

use anyhow::Context;
use domain::{MessageText, Millis, Number, Submission};
use gateway::uplink::lines::Answer;
use runtime::command::say;
use uuid::Uuid;

use crate::args::Outgoing;
use crate::uplink::Uplink;
use batches::Batches;
use outcomes::Outcomes;
use progress::Progress;

/// Hands in one message, or all of a file.
pub async fn send(uplink: Uplink, outgoing: Outgoing) -> anyhow::Result<ExitCode> {
    let json = outgoing.json;
    let outcomes = match (outgoing.file.clone(), outgoing.to.clone(), outgoing.text.clone()) {
        (Some(file), _, _) if file.as_os_str() == "-" => all(&uplink, io::stdin().lock(), json).await?,
        (Some(file), _, _) => {
            let opened = File::open(&file).with_context(|| file.display().to_string())?;
            all(&uplink, BufReader::new(opened), json).await?
        }
        (None, Some(to), Some(text)) => one(&uplink, submission(outgoing, to, text)?, json).await?,
        (None, ..) => anyhow::bail!("name --to and --text, or a --file"),
    };
    if !json {
        say(&outcomes.to_string());
    }
    Ok(if outcomes.refused() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn one(uplink: &Uplink, submission: Submission, json: bool) -> anyhow::Result<Outcomes> {
    let mut outcomes = Outcomes::of_one();
    let answers = uplink.submit(serde_json::to_vec(&submission)?, 1).await?;
    for answer in answers {
        tell(&answer, json)?;
        outcomes.add(None, answer);
    }
    Ok(outcomes)
}

async fn all(uplink: &Uplink, lines: impl BufRead, json: bool) -> anyhow::Result<Outcomes> {
    let mut outcomes = Outcomes::of_many();
    let mut batches = Batches::new(lines);
    let mut progress = Progress::new();
    while let Some(batch) = batches.next()? {
        let first = batch.numbers.first().copied().unwrap_or_default();
        let answers = uplink.submit(batch.body, batch.numbers.len()).await.with_context(|| {
            format!("it is not known what became of line {first} and those after it; send the file again")
        })?;
        for (number, mut answer) in batch.numbers.into_iter().zip(answers) {
            // the gateway counts from the first line of its request
            answer.line = answer.line.map(|_| number);
            tell(&answer, json)?;
            outcomes.add(Some(number), answer);
        }
        progress.show(outcomes.total());
    }
    progress.end(outcomes.total());
    Ok(outcomes)
}

fn submission(outgoing: Outgoing, to: Number, text: MessageText) -> anyhow::Result<Submission> {
    let now = runtime::clock::since_epoch();
    let not_after = outgoing.valid.map(|valid| now.saturating_add(valid).as_millis());
    Ok(Submission {
        uaop_id: match outgoing.id {
            Some(id) => id,
            // it grows with time, which keeps stores' indexes small
            None => Uuid::now_v7().to_string().parse()?,
        },
        empi_id: outgoing.empi,
        class: outgoing.class,
        account: outgoing.account,
        to,
        extension: outgoing.extension,
        text,
        report: !outgoing.no_report,
        priority: outgoing.priority,
        not_after: not_after.map(|end| Millis(u64::try_from(end).unwrap_or(u64::MAX))),
    })
}

fn tell(answer: &Answer, json: bool) -> anyhow::Result<()> {
    if json {
        say(&serde_json::to_string(answer)?);
    }
    Ok(())
}
