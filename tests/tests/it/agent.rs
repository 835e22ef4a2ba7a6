//! HAProxy's agent protocol: the server says how it is, and the daemon obeys.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use testkit::backend::{Backend, Behaviour};
use testkit::wait;

use crate::client::refused;
use crate::daemon::{Daemon, SOON};

#[test]
fn an_agent_rules() {
    let agent = AgentServer::start();
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let pool =
        format!("check: off, agent: {{ port: {}, interval: 50ms, send: \"how are you\\n\" }}", agent.port);
    let lb =
        Daemon::start("", &pool, &format!("{{ name: a, address: \"{}\", weight: 10 }}", backend.address()));
    let wait = |what: &str, key: &str, wanted: Value| {
        let got = || (lb.server("a")[key] == wanted).then_some(());
        wait::until(what, SOON, got).unwrap_or_else(|error| panic!("{error}: {}", lb.server("a")));
    };
    agent.says("up 50%\n");
    wait("half the weight", "effective_weight", 5.0.into());
    agent.says("drain\n");
    wait("drain", "state", "draining".into());
    assert_eq!(lb.server("a")["reason"], "agent: drain");
    refused(lb.address);
    lb.wait_reason(0, "no_server");
    agent.says("ready 100%\n");
    wait("all the weight", "effective_weight", 10.0.into());
    agent.says("down#disk full\n");
    wait("down", "state", "down".into());
    assert_eq!(lb.server("a")["reason"], "agent: down: disk full");
    // an agent that is gone, and one that talks nonsense, change nothing
    agent.says("who knows\n");
    agent.wait_asked(3);
    assert_eq!(lb.server("a")["state"], "down");
    agent.says("up\n");
    wait("up", "state", "up".into());
    agent.says("maint\n");
    wait("maint", "state", "maint".into());
    assert_eq!(lb.metric("lb_server_state", &[("server", "a"), ("state", "maint")]), 1.0);
}

/// Answers whoever asks with the line of the moment.
struct AgentServer {
    port: u16,
    state: Arc<Mutex<(String, u64)>>,
}

impl AgentServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new((String::new(), 0)));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // a daemon that ends may leave at any point
                let _ = answer(stream.unwrap(), &shared);
            }
        });
        Self { port, state }
    }

    fn says(&self, line: &str) {
        *self.state.lock().unwrap() = (line.to_owned(), 0);
    }

    /// Waits until the line of the moment has been asked for so many times.
    fn wait_asked(&self, times: u64) {
        wait::until("questions", SOON, || (self.state.lock().unwrap().1 >= times).then_some(())).unwrap();
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<(String, u64)>) -> std::io::Result<()> {
    let mut question = [0; 12];
    stream.read_exact(&mut question)?;
    assert_eq!(&question, b"how are you\n");
    let mut state = state.lock().unwrap();
    state.1 += 1;
    stream.write_all(state.0.as_bytes())
}
