//! A new installation: servers that hold nothing yet, and a command line that
//! says of each step what comes next.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use assert_cmd::Command;
use devstack::{Options, Stack};

/// What leads to the servers, besides the usual environment.
type Variables = Vec<(String, String)>;

/// Exit status, stdout and stderr.
fn run(arguments: &[&str], variables: &Variables) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("outflow").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OUTFLOW_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    let command = command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments);
    let output = command.envs(variables.iter().cloned()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn servers() -> (Stack, Variables) {
    let stack = Stack::start(Options::default()).await.unwrap();
    let variables = [
        ("OUTFLOW_DATABASE_URL", stack.fresh_database("fresh").await.unwrap()),
        ("OUTFLOW_AMQP_URL", stack.fresh_vhost().await.unwrap()),
        ("OUTFLOW_PROFILE", "dev".to_owned()),
    ];
    (stack, variables.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

/// A command, its exit status, and how what it says ends.
#[track_caller]
fn ends(variables: &Variables, line: &str, status: i32, next: &str) {
    let arguments: Vec<&str> = line.split(' ').collect();
    let (code, out, said) = run(&arguments, variables);
    assert_eq!(code, Some(status), "{line}: {out}{said}");
    assert_eq!(said.lines().last(), Some(format!("next: {next}").as_str()), "{line}: {said}");
    assert!(!out.contains("next: "), "{line}: {out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_an_installation_names_the_one_after_it() {
    let (stack, variables) = servers().await;
    ends(&variables, "list", 1, "outflow migrate");
    ends(&variables, "status", 1, "outflow migrate");
    ends(&variables, "migrate", 0, "outflow topology apply");
    ends(&variables, "status", 0, "outflow topology apply");
    ends(&variables, "topology diff", 4, "outflow topology apply");
    ends(&variables, "topology apply", 0, "outflow run all");
    ends(&variables, "status", 0, "outflow list");
    ends(&variables, "list", 0, "outflow publish FILE");
    ends(&variables, "channel list", 0, "outflow status");
    ends(
        &variables,
        "channel pause all --reason trial --by li.wei",
        0,
        "outflow channel resume all --reason … --by …",
    );
    ends(&variables, "channel resume all --reason trial --by li.wei", 0, "outflow list");
    ends(
        &variables,
        "operator add li.wei --role viewer --by wang",
        0,
        "log in with it at the console, or send `Authorization: Bearer …`",
    );
    ends(&variables, "parked list", 0, "outflow status");
    ends(&variables, "reconcile days", 0, "outflow reconcile --rail RAIL --day DATE");
    ends(&variables, "verify", 0, "outflow status");
    a_program_is_told_nothing_but_data(&variables);
    stack.stop().await.unwrap();
}

/// What comes next is for people, and an empty list still has its header.
fn a_program_is_told_nothing_but_data(variables: &Variables) {
    for (line, header) in [
        ("list", "account_id,amount,approved_at,currency,effect_digest,"),
        ("parked list", "diff,digest,headers,id,message_id,"),
        ("bank-run list", "bank_day,closed_at,cut_off,"),
        ("facts status", "account_id,changed_at,fact_version,stopped_because\r\n"),
        ("reconcile days", "closed_at,day,detail,"),
        ("reconcile differences", "day,detail,found_at,"),
        ("topology diff", "detail,object\r\n"),
    ] {
        let arguments: Vec<&str> = line.split(' ').chain(["--output", "csv"]).collect();
        let (code, out, said) = run(&arguments, variables);
        assert_eq!(code, Some(0), "{line}: {said}");
        assert!(
            out.starts_with(header) && out.ends_with("\r\n") && out.lines().count() == 1,
            "{line}: {out}"
        );
        assert!(!said.contains("next: "), "{line}: {said}");
    }
}
