//! Virtual hosts of one's own on a broker of ours.
//!
//! The management API could make them, but its plug-in costs throughput, and
//! `rabbitmqctl` takes seconds. `erl_call`, a small program that comes with
//! Erlang, asks the broker directly over its distribution port.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::database::with_path;
use crate::folder::Record;
use crate::locate::{self, SYSTEM_PATH};
use crate::rabbitmq::USER;

/// How long the broker may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it may take to make a whole topology of quorum queues there.
const IMPORT_PATIENCE: Duration = Duration::from_mins(3);

/// Creates a virtual host on the broker of the stack in `folder`, whose URL is
/// `url`, and returns its URL.
pub(crate) async fn create_fresh(folder: &Path, url: &str) -> Result<String> {
    let record = Record::read(folder)?;
    let port =
        record.distribution.with_context(|| format!("the stack in {} has no RabbitMQ", folder.display()))?;
    let name = format!("t-{:016x}", rand::random::<u64>());
    let fresh = with_path(url, &name).context("the broker's URL has no host")?;
    let expression = expression(&name);
    let asked = tokio::time::timeout(PATIENCE, tell(folder, port, &expression));
    let answer =
        asked.await.with_context(|| format!("the broker took longer than {} s", PATIENCE.as_secs()))??;
    ensure!(answer.trim() == "{ok, ok}", "the broker did not create a virtual host: {}", answer.trim());
    Ok(fresh)
}

/// Has the broker of the stack in `folder` import `definitions`, as `rabbitmqctl import_definitions` does.
pub(crate) async fn import(folder: &Path, definitions: &str) -> Result<()> {
    let record = Record::read(folder)?;
    let port =
        record.distribution.with_context(|| format!("the stack in {} has no RabbitMQ", folder.display()))?;
    // As a list of bytes there is nothing to quote.
    let bytes: Vec<String> = definitions.bytes().map(|it| it.to_string()).collect();
    let expression = format!("rabbit_definitions:import_raw(list_to_binary([{}])).\n", bytes.join(","));
    let answer = tokio::time::timeout(IMPORT_PATIENCE, tell(folder, port, &expression)).await;
    let answer =
        answer.with_context(|| format!("the broker took longer than {} s", IMPORT_PATIENCE.as_secs()))??;
    ensure!(answer.trim() == "{ok, ok}", "the broker did not take the definitions: {}", answer.trim());
    Ok(())
}

/// What the broker evaluates; its value is `ok` only if both calls did it.
fn expression(name: &str) -> String {
    format!(
        "ok = rabbit_vhost:add(<<\"{name}\">>, <<\"{USER}\">>), \
         ok = rabbit_auth_backend_internal:set_permissions(\
         <<\"{USER}\">>, <<\"{name}\">>, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"{USER}\">>).\n"
    )
}

/// Has the broker evaluate `expression`. The cookie is read from its home.
pub(crate) async fn tell(folder: &Path, port: u16, expression: &str) -> Result<String> {
    let programs = locate::rabbitmq().context("RabbitMQ's programs are not on this machine any more")?;
    let mut command = Command::new(programs.erlang.join("erl_call"));
    // The broker refuses a second caller of the same name at the same time.
    let caller = format!("caller-{:016x}", rand::random::<u64>());
    command.args(["-address", &format!("127.0.0.1:{port}"), "-h", &caller, "-e"]);
    command.env_clear().env("HOME", folder.join("rabbitmq")).env("PATH", SYSTEM_PATH);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("cannot run Erlang's erl_call")?;
    let mut stdin = child.stdin.take().expect("the command pipes its input");
    stdin.write_all(expression.as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "erl_call failed: {said} {complaint}");
    Ok(said)
}
