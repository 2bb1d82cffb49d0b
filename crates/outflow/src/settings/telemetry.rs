//! Where it is told, besides logs and metrics, what happens.

use anyhow::Result;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::exit::{Exit, Failure};

/// The table `[telemetry]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TelemetrySettings {
    /// The OpenTelemetry collector that gets a span of every gateway call (OTLP over HTTP). Needs a product
    /// built with `--features otlp`.
    pub(crate) otlp_endpoint: Option<String>,
}

impl Settings {
    /// The collector of spans, where one is set.
    ///
    /// # Errors
    /// When its address is none, or this build cannot send it anything. The address is not repeated.
    pub(crate) fn collector(&self) -> Result<Option<Url>> {
        let Some(address) = &self.telemetry.otlp_endpoint else { return Ok(None) };
        let wrong = |what: &str, next: &str| {
            Failure::new(Exit::Usage, format!("`otlp_endpoint` of [telemetry] {what}"), next)
        };
        if !cfg!(feature = "otlp") {
            let what = "is set, but this product was built without the exporter";
            let next = "build it with `cargo build --release --features otlp`, or leave the setting out";
            return Err(wrong(what, next).into());
        }
        let next = "set it as in http://collector:4318; what proves who asks belongs into OTEL_EXPORTER_OTLP_HEADERS";
        let url = Url::parse(address).map_err(|error| wrong("is no address", next).because(error))?;
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !bare {
            return Err(wrong("must be http or https, without a password or a query", next).into());
        }
        Ok(Some(url))
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    fn with(address: &str) -> Settings {
        let mut settings = Settings::default();
        settings.telemetry.otlp_endpoint = Some(address.to_owned());
        settings
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_build_without_the_exporter_refuses_a_collector_and_says_how_to_get_one() {
        assert!(Settings::default().collector().unwrap().is_none());
        let error = with("http://collector:4318").collector().unwrap_err();
        assert!(error.to_string().contains("`otlp_endpoint` of [telemetry]"), "{error}");
        let told = format!("{:?}", error.downcast::<crate::exit::Failure>().unwrap());
        assert!(told.contains("cargo build --release --features otlp"), "{told}");
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn otlp_needs_an_address_without_secrets() {
        assert!(with("http://collector:4318").collector().unwrap().is_some());
        for address in ["collector:4318", "ftp://a", "http://me:secret@a", "http://a/?key=secret", "secret"] {
            let error = format!("{:#}", with(address).collector().unwrap_err());
            assert!(error.contains("otlp_endpoint") && !error.contains("secret"), "{error}");
        }
    }
}
