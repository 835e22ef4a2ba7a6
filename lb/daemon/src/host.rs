//! A configuration file on this host: which of its nodes this is, and whether what it names is here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lb_core::config::{self, Config, Host};
use nix::unistd::{AccessFlags, access};
use settings::{Fault, Problem};

/// What a file means on this host.
#[derive(Debug)]
pub struct Compiled {
    pub config: Config,
    /// The name under `nodes:`, or that of the host.
    pub node: Option<String>,
}

/// Reads `text` for the node that was `chosen`, or else the one that is called as this host, whole or up to its
/// first dot.
///
/// # Errors
/// Every fault of the file, and what it names that is not here.
pub fn compile(text: &str, chosen: Option<&str>) -> Result<Compiled, Vec<Fault>> {
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let node = chosen.map(str::to_owned).or_else(|| host.map(|host| node_called(text, host)));
    config::compile_for(text, node.as_deref(), &ThisHost).map(|config| Compiled { config, node })
}

/// Checks `text` for one node, or for every node that it names.
///
/// # Errors
/// As [`compile`].
pub fn check(text: &str, node: Option<&str>) -> Result<(), Vec<Fault>> {
    match node {
        Some(node) => config::compile_for(text, Some(node), &ThisHost).map(drop),
        None => config::check_all_for(text, &ThisHost),
    }
}

fn node_called(text: &str, host: String) -> String {
    let short = host.split('.').next().unwrap_or(&host);
    config::node_names(text).into_iter().find(|name| *name == host || name == short).unwrap_or(host)
}

const KEY_ADVICE: &str =
    "make one with `umask 077; head -c 32 /dev/urandom >FILE`, and copy it to the other hosts";

struct ThisHost;

impl Host for ThisHost {
    fn program(&self, program: &Path) -> Result<(), Problem> {
        let problem = |text: String| Problem::new(text, "name a program that lb may run");
        match fs::metadata(program) {
            Err(error) => Err(problem(format!("this program cannot be found: {error}"))),
            Ok(file) if !file.is_file() => Err(problem("this is not a program, nor any file".to_owned())),
            Ok(_) => access(program, AccessFlags::X_OK)
                .map_err(|error| problem(format!("this program cannot be run: {}", error.desc()))),
        }
    }

    fn ca_file(&self, file: &Path) -> Result<(), Problem> {
        crate::probe::check_ca_file(file).map_err(|error| {
            let advice = "name a PEM file of certificates that lb may read";
            Problem::new(format!("these certificates cannot be used: {error}"), advice)
        })
    }

    fn key_file(&self, file: &Path) -> Result<Vec<u8>, Problem> {
        let unreadable =
            |error: std::io::Error| Problem::new(format!("this key cannot be read: {error}"), KEY_ADVICE);
        let open_to_all = fs::metadata(file).map_err(unreadable)?.permissions().mode() & 0o007 != 0;
        if open_to_all {
            let advice = format!("chmod o= {}", file.display());
            return Err(Problem::new("every user of this host can read this key", advice));
        }
        fs::read(file).map_err(unreadable)
    }

    fn log_filter(&self, filter: &str) -> Result<(), Problem> {
        runtime::logging::parse_filter(filter).map(drop).map_err(|_| {
            let advice = "write error, warn, info, debug or trace, or a filter such as \"info,lb=debug\"";
            Problem::new("this is not a log level", advice)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_found_in_each_text_anew() {
        let nodes = |names: &str| format!("listeners: []\npools: []\nnodes: {{ {names} }}\n");
        for (text, node) in [
            ("listeners: []\npools: []\n", "a.example"),
            (&nodes("a: {}, b: {}"), "a"),
            (&nodes("a.example: {}, b: {}"), "a.example"),
            (&nodes("b: {}"), "a.example"),
        ] {
            assert_eq!(node_called(text, "a.example".to_owned()), node, "{text}");
        }
    }

    #[test]
    fn what_is_not_here_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "text").unwrap();
        let said =
            |result: Result<(), Problem>| result.err().map_or(String::new(), |problem| problem.problem);

        assert_eq!(said(ThisHost.program(Path::new("/bin/sh"))), "");
        for (program, problem) in [
            (Path::new("/nonexistent"), "cannot be found"),
            (dir.path(), "nor any file"),
            (&file, "cannot be run"),
        ] {
            assert!(said(ThisHost.program(program)).contains(problem), "{}", said(ThisHost.program(program)));
        }

        let authority = rcgen::generate_simple_self_signed(["empi.example".to_owned()]).unwrap();
        let good = dir.path().join("ca.pem");
        fs::write(&good, authority.cert.pem()).unwrap();
        assert_eq!(said(ThisHost.ca_file(&good)), "");
        for (file, problem) in [(Path::new("/nonexistent"), "No such file"), (&file, "no certificate in it")]
        {
            assert!(said(ThisHost.ca_file(file)).contains(problem), "{}", said(ThisHost.ca_file(file)));
        }

        let key = dir.path().join("vrrp.key");
        fs::write(&key, [7; 32]).unwrap();
        for (mode, problem) in [(0o600, ""), (0o640, ""), (0o644, "every user of this host")] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            let said = said(ThisHost.key_file(&key).map(drop));
            assert!(said.contains(problem) && said.is_empty() == problem.is_empty(), "{mode:o}: {said}");
        }

        assert_eq!(said(ThisHost.log_filter("warn,lb=debug")), "");
        assert_eq!(said(ThisHost.log_filter("lb=loud")), "this is not a log level");
    }
}
