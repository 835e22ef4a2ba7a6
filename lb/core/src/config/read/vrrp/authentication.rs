//! `authentication:` of a virtual router.

use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::time::Duration;

use settings::{Node, Problem, Section, Setting, Value};

use super::small;
use crate::config::{Authentication, Host, KeyFile, Secret};
use crate::vrrp::AdvertInterval;
use crate::vrrp::packet::auth::{AntiReplay, Key, Mode, Window};

pub(super) fn authentication(
    mut section: Section<'_>,
    interval: AdvertInterval,
    host: &dyn Host,
) -> Option<Authentication> {
    let modes =
        [("enforce", Mode::Enforce), ("permissive", Mode::Permissive), ("receive_only", Mode::ReceiveOnly)];
    let mode = section.choice("mode", &modes, Mode::default());
    let default = AntiReplay::Time(Window::for_interval(interval.get()));
    let anti_replay = section.or("anti_replay", default);
    if section.items("keys").is_empty() {
        section.missing("keys", "add `keys: [{ id: 1, file: /etc/lb/vrrp.key }]`");
    }
    let faults = section.faults();
    let mut keys: Vec<KeyFile> = Vec::new();
    for node in section.items("keys") {
        let Some(key) = Section::open(node, faults).and_then(|section| key(section, host)) else { continue };
        if keys.iter().any(|earlier| earlier.id == key.id) {
            faults
                .at(node, Problem::new(format!("the key id {} is used twice", key.id), "choose another id"));
        } else {
            keys.push(key);
        }
    }
    section.finish();
    (!keys.is_empty()).then_some(Authentication { keys, mode, anti_replay })
}

fn key(mut section: Section<'_>, host: &dyn Host) -> Option<KeyFile> {
    let id = section.required::<Id>("id").map(|id| id.0);
    let file: Option<PathBuf> = section.required("file");
    let secret = id
        .zip(file.as_deref())
        .and_then(|(id, file)| secret(id, file, host).map_err(|problem| section.fault("file", problem)).ok());
    section.finish();
    Some(KeyFile { id: id?, file: file?, secret: secret? })
}

fn secret(id: NonZeroU8, file: &Path, host: &dyn Host) -> Result<Secret, Problem> {
    let secret = bytes(host.key_file(file)?);
    Key::new(id, &secret)
        .map(|_| Secret(secret))
        .map_err(|error| Problem::new(error.to_string(), "fill the file with 32 to 64 random bytes"))
}

/// Without the line's end; of hexadecimal digits only (as keepalived's keys are written), what they say.
fn bytes(mut content: Vec<u8>) -> Vec<u8> {
    while content.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        content.pop();
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = content.iter().map(digit).collect();
    match digits {
        Some(digits) if (64..=128).contains(&digits.len()) && digits.len().is_multiple_of(2) => {
            digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
        }
        Some(_) | None => content,
    }
}

#[derive(Clone, Copy, Debug)]
struct Id(NonZeroU8);

impl Setting for Id {
    const EXPECTED: &'static str = "a number from 1 to 255, the same on all routers that have this key";

    fn read(node: &Node) -> Result<Self, Problem> {
        small(node)
            .and_then(NonZeroU8::new)
            .map(Self)
            .ok_or_else(|| Problem::new("this is not a key id", format!("write {}", Self::EXPECTED)))
    }
}

impl Setting for AntiReplay {
    const EXPECTED: &'static str = "a window of whole seconds such as 5s, up to 300s, or `monotonic`";

    fn read(node: &Node) -> Result<Self, Problem> {
        if node.value == Value::Text("monotonic".to_owned()) {
            return Ok(Self::Monotonic);
        }
        let problem = || Problem::new("this is no anti-replay window", format!("write {}", Self::EXPECTED));
        let window = Duration::read(node).map_err(|_| problem())?;
        if window.subsec_nanos() != 0 {
            return Err(problem());
        }
        Window::from_secs(window.as_secs()).map(Self::Time).map_err(|_| problem())
    }
}
