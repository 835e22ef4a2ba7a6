//! One file for both hosts of a pair.

use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::ports::{self, Port};

use crate::scene::{SOON, served, status};

struct Scene {
    a: Port,
    b: Port,
    backend: Backend,
}

impl Scene {
    fn new() -> Self {
        let [a, b] = [(); 2].map(|()| ports::reserve().unwrap());
        Self { a, b, backend: Backend::start(Behaviour::Echo).unwrap() }
    }

    /// Two nodes, `a` and another name, that differ in the address of their listener.
    fn config(&self, other: &str) -> String {
        format!(
            "listeners:
  - {{ name: bank, bind: \"{a}\", pool: empi }}
pools:
  - {{ name: empi, servers: [ {{ name: s, address: \"{backend}\" }} ] }}
nodes:
  a: {{}}
  {other}: {{ listeners: [ {{ name: bank, bind: \"{b}\" }} ] }}
",
            a = self.a.address(),
            b = self.b.address(),
            backend = self.backend.address()
        )
    }

    fn assert_only(&self, serving: &Port) {
        served(serving.address());
        for port in [&self.a, &self.b] {
            assert_eq!(ports::listening(port.number()), port.number() == serving.number());
        }
    }
}

#[test]
fn the_node_is_chosen_on_the_command_line() {
    let scene = Scene::new();
    for (node, port) in [("a", &scene.a), ("b", &scene.b)] {
        let mut lb = Lb::spawn(&Default::default(), &scene.config("b"), &["--node", node]).unwrap();
        lb.wait_ready().unwrap();
        scene.assert_only(port);
        assert_eq!(status(&lb)["node"], node);
        lb.ctl(&["reload"]).unwrap();
        scene.assert_only(port);
    }
}

#[test]
fn the_host_name_is_the_default() {
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let scene = Scene::new();
    let _lb = Lb::start(&scene.config(&host)).unwrap();
    scene.assert_only(&scene.b);
}

#[test]
fn a_node_that_the_file_does_not_have_is_a_fault() {
    let scene = Scene::new();
    for arguments in [&["--node", "c"][..], &[]] {
        let mut lb = Lb::spawn(&Default::default(), &scene.config("b"), arguments).unwrap();
        assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(64));
        let log = lb.log();
        let here = arguments
            .last()
            .copied()
            .map_or_else(|| "this node is ".to_owned(), |node| format!("this node is {node}"));
        for part in [&here, "`nodes:` has a, b", "choose one with --node"] {
            assert!(log.contains(part), "{log}");
        }
    }
    assert!(!ports::listening(scene.a.number()));
}

#[test]
fn a_check_looks_at_every_node() {
    let scene = Scene::new();
    let lb = Lb::start(&scene.config(&nix::unistd::gethostname().unwrap().into_string().unwrap())).unwrap();
    let file = lb.config_path();
    let check = |arguments: &[&str]| {
        let all = [&["check", "--config", file.to_str().unwrap()], arguments].concat();
        lb.ctl_output(&all).unwrap().status.code()
    };
    assert_eq!(check(&[]), Some(0));
    lb.write(
        &scene
            .config("b")
            .replace("listeners: [ { name: bank, bind: \"", "listeners: [ { name: bank, bind: \"x"),
    )
    .unwrap();
    assert_eq!(check(&[]), Some(64));
    assert_eq!(check(&["--node", "b"]), Some(64));
    assert_eq!(check(&["--node", "a"]), Some(0));
    assert_eq!(check(&["--node", "c"]), Some(64));
}
