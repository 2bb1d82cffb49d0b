//! One stack as a test or a benchmark uses it, on real servers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use devstack::{Environment, Options, Stack};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use tokio::process::Command;
use tokio::task::JoinSet;

/// How many tests ask for a virtual host of their own at the same moment.
const AT_ONCE: usize = 12;

/// What `psql` prints for one statement.
async fn sql(url: &str, statement: &str) -> String {
    let asked =
        Command::new("psql").args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement, url]).output();
    let output = asked.await.unwrap();
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Declares a durable queue in the virtual host of `url`; its number of messages.
async fn declare(url: &str, queue: &str) -> u32 {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    declared.message_count()
}

async fn own_stack() -> Stack {
    let options = Options { environment: Environment::Ignored, ..Options::default() };
    Stack::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_gives_out_databases_and_hosts_survives_crashes_and_leaves_nothing() {
    let stack = Arc::new(own_stack().await);
    let folder = stack.folder().unwrap().to_path_buf();

    databases_are_empty_and_apart(&stack).await;
    virtual_hosts_are_apart_even_when_many_ask_at_once(&stack).await;
    what_was_committed_survives_an_immediate_stop(&stack).await;
    a_killed_broker_comes_back_on_its_port(&stack).await;

    let pids = [stack.postgres().unwrap().pids(), stack.rabbitmq().unwrap().pids()].concat();
    assert!(pids.len() > 3 && pids.iter().all(|pid| is_running(*pid)), "{pids:?}");
    stack.stop().await.unwrap();
    assert!(!folder.exists());
    assert!(!pids.iter().any(|pid| is_running(*pid)), "{pids:?}");
}

async fn databases_are_empty_and_apart(stack: &Stack) {
    let first = stack.fresh_database("apart").await.unwrap();
    let second = stack.fresh_database("apart").await.unwrap();
    assert_ne!(first, second);
    sql(&first, "create table only_here (id int)").await;
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(sql(&first, tables).await, "1");
    assert_eq!(sql(&second, tables).await, "0");
    assert_eq!(sql(&first, "show fsync").await, "on");
    assert_eq!(sql(&first, "show synchronous_commit").await, "on");
}

async fn virtual_hosts_are_apart_even_when_many_ask_at_once(stack: &Arc<Stack>) {
    let mut asked = JoinSet::new();
    for _ in 0..AT_ONCE {
        let stack = Arc::clone(stack);
        asked.spawn(async move { stack.fresh_vhost().await.unwrap() });
    }
    let urls: HashSet<String> = asked.join_all().await.into_iter().collect();
    assert_eq!(urls.len(), AT_ONCE);
    for url in urls.iter().take(2) {
        assert_eq!(declare(url, "same.name").await, 0);
    }
}

async fn what_was_committed_survives_an_immediate_stop(stack: &Stack) {
    let url = stack.database_url().to_owned();
    let postgres = stack.postgres().unwrap();
    assert!(postgres.start().await.unwrap_err().to_string().contains("runs already"));
    sql(&url, "create table kept as select 42 as answer").await;
    postgres.stop_immediately().await.unwrap();
    assert_eq!(postgres.pids(), Vec::<u32>::new());
    assert!(postgres.stop().await.unwrap_err().to_string().contains("does not run"));
    postgres.start().await.unwrap();
    assert_eq!(sql(&url, "select answer from kept").await, "42");
}

async fn a_killed_broker_comes_back_on_its_port(stack: &Stack) {
    let vhost = stack.fresh_vhost().await.unwrap();
    declare(&vhost, "kept").await;
    stack.rabbitmq().unwrap().kill().await.unwrap();
    assert!(Connection::connect(&vhost, ConnectionProperties::default()).await.is_err());
    stack.rabbitmq().unwrap().start().await.unwrap();
    declare(&vhost, "kept").await;
    let second = stack.fresh_vhost().await.unwrap();
    declare(&second, "kept").await;
}

/// Whether a process with this id is there and not dead.
fn is_running(pid: u32) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    status.is_ok_and(|text| !text.contains("State:\tZ"))
}
