//! Publishes the bytes of a file to a queue of the work exchange as they are:
//! what `outflow publish` refuses because nobody could use it.
//!
//! `publish-raw QUEUE FILE`, with the broker's address in `OUTFLOW_AMQP_URL`.

use anyhow::{Context, Result};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let queue = arguments.next().context("the queue is missing")?;
    let body = std::fs::read(arguments.next().context("the file is missing")?)?;
    let url = std::env::var("OUTFLOW_AMQP_URL").context("OUTFLOW_AMQP_URL is not set")?;
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    let sent =
        channel.basic_publish("outflow.work".into(), queue.as_str().into(), options, &body, properties);
    sent.await?.await?;
    Ok(())
}
