//! Stacks of several owners on one machine, one of which dies a sudden death.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything in here may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process that owns a stack.
struct Owner {
    child: Child,
    /// What it said until its stack was ready.
    said: Vec<String>,
}

/// Starts an owner; two that start at once are waited for afterwards.
fn launch(root: &Path, arguments: &[&str], environment: &[(String, String)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devstack"));
    for name in ["OUTFLOW_DATABASE_URL", "OUTFLOW_AMQP_URL", "OUTFLOW_DEVSTACK"] {
        command.env_remove(name);
    }
    command.args(arguments).envs(environment.iter().cloned()).env("TMPDIR", root);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
}

impl Owner {
    /// Reads what it says until its stack is ready.
    fn ready(mut child: Child) -> Self {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = lines.take_while(|line| line != "Ctrl-C ends it").collect();
        assert!(!said.is_empty(), "an owner ended before its stack was ready");
        Self { child, said }
    }

    /// The last value it gave to the environment variable `name`.
    fn value(&self, name: &str) -> String {
        let start = format!("export {name}='");
        let line = self.said.iter().rev().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {name} in {:?}", self.said)).trim_end_matches('\'').to_owned()
    }

    fn folder(&self) -> PathBuf {
        self.value("OUTFLOW_DEVSTACK").into()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Ends it as Ctrl-C does.
    fn end(mut self) {
        self.signal(Signal::SIGINT);
        let began = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(began.elapsed() < PATIENCE, "Ctrl-C does not end an owner"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{status}");
    }
}

/// Polls until `condition` holds.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The ids of all processes that work for the stack in `folder`.
fn workers_of(folder: &Path) -> Vec<String> {
    let mark = format!("OUTFLOW_DEVSTACK_OWNED_BY={}", folder.display());
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    ids.filter(|id| {
        fs::read(format!("/proc/{id}/environ")).is_ok_and(|it| String::from_utf8_lossy(&it).contains(&mark))
    })
    .collect()
}

/// Whether someone listens on the port of `url`.
fn answers(url: &str) -> bool {
    let authority = url.split(['@', '/']).find(|part| part.starts_with("127.0.0.1:")).unwrap();
    std::net::TcpStream::connect(authority).is_ok()
}

#[test]
fn a_killed_owners_stack_ends_with_it_and_its_folder_goes_at_the_next_start() {
    let root = tempfile::tempdir().unwrap();
    // Root's stack must let PostgreSQL's user in.
    fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();

    let both = [launch(root.path(), &[], &[]), launch(root.path(), &[], &[])];
    let [doomed, survivor] = both.map(Owner::ready);
    let (folder, kept) = (doomed.folder(), survivor.folder());
    assert!(folder.starts_with(root.path()) && folder != kept);
    for url in [&doomed, &survivor].map(|it| [it.value("OUTFLOW_DATABASE_URL"), it.value("OUTFLOW_AMQP_URL")])
    {
        assert!(url.iter().all(|url| answers(url)), "{url:?}");
    }

    assert!(workers_of(&folder).len() >= 3, "PostgreSQL, RabbitMQ and its port mapper");
    doomed.signal(Signal::SIGKILL);
    eventually("the servers outlive a killed owner", || workers_of(&folder).is_empty());
    assert!(folder.exists());

    let next = Owner::ready(launch(root.path(), &["--postgres-only"], &[]));
    assert!(!folder.exists(), "{:?}", next.said);
    assert!(next.said.iter().any(|line| line.contains(folder.to_str().unwrap())), "{:?}", next.said);
    assert!(kept.exists() && answers(&survivor.value("OUTFLOW_AMQP_URL")));
    next.end();

    a_third_process_shares_the_survivors_servers(root.path(), &survivor);
    survivor.end();
    let left = fs::read_dir(root.path()).unwrap().flatten().filter(|it| it.path().is_dir()).count();
    assert_eq!(left, 0);
}

/// What a test does that runs under a wrapper with a stack.
fn a_third_process_shares_the_survivors_servers(root: &Path, survivor: &Owner) {
    let names = ["OUTFLOW_DATABASE_URL", "OUTFLOW_AMQP_URL", "OUTFLOW_DEVSTACK"];
    let environment = names.map(|name| (name.to_owned(), survivor.value(name)));
    let guest = Owner::ready(launch(root, &["--fresh", "--no-install"], &environment));
    for name in ["OUTFLOW_DATABASE_URL", "OUTFLOW_AMQP_URL"] {
        let (own, theirs) = (guest.value(name), survivor.value(name));
        assert_ne!(own, theirs);
        assert_eq!(own.rsplit_once('/').unwrap().0, theirs.rsplit_once('/').unwrap().0);
    }
    guest.end();
    assert!(answers(&survivor.value("OUTFLOW_DATABASE_URL")), "a guest stopped its host's server");
}
