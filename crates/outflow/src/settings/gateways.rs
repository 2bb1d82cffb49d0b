//! The gateways: whose keys, and which addresses.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::Rail;
use gateways::{Gateways, Limits, Signing};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Profile, Settings};
use crate::exit::{Exit, Failure};

/// The table `[gateways]`. Without `base_url` each channel is called where it
/// really is.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct GatewaySettings {
    /// The folder with merchant numbers, keys and certificates of every channel.
    pub(crate) key_folder: Option<PathBuf>,
    /// One address for all channels: a simulator's.
    pub(crate) base_url: Option<String>,
    /// Alipay Open Platform.
    pub(crate) alipay_url: String,
    /// WeChat Pay API v3.
    pub(crate) wechat_url: String,
    /// UnionPay ACP.
    pub(crate) unionpay_url: String,
    /// UnionPay's statements.
    pub(crate) unionpay_files_url: String,
    /// The bank's interface. There is no usual one.
    pub(crate) bank_url: Option<String>,
    /// Where the channels reach our API's `/v1/notices`. Without it WeChat Pay and
    /// UnionPay are told to send nothing.
    pub(crate) notify_url: Option<String>,
    /// Rails whose contract does not promise that one number is paid once.
    #[serde(deserialize_with = "rails", serialize_with = "rail_words")]
    #[schemars(with = "Vec<String>")]
    pub(crate) no_dedup: Vec<Rail>,
    /// How long a call may take, in seconds.
    pub(crate) call_seconds: u64,
    /// Off for a benchmark against a simulator on this machine alone.
    pub(crate) signing: SigningSwitch,
}

/// Whether calls are signed and answers verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SigningSwitch {
    /// As in production.
    #[default]
    On,
    /// Nobody proves who they are.
    Off,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            key_folder: None,
            base_url: None,
            alipay_url: "https://openapi.alipay.com".to_owned(),
            wechat_url: "https://api.mch.weixin.qq.com".to_owned(),
            unionpay_url: "https://gateway.95516.com".to_owned(),
            unionpay_files_url: "https://filedownload.95516.com".to_owned(),
            bank_url: None,
            notify_url: None,
            no_dedup: Vec::new(),
            call_seconds: Limits::default().total.as_secs(),
            signing: SigningSwitch::On,
        }
    }
}

impl Settings {
    /// The addresses that are called, by channel.
    pub(crate) fn gateway_addresses(&self) -> Vec<(&'static str, &str)> {
        let it = &self.gateways;
        if let Some(url) = &it.base_url {
            return vec![("of all channels", url)];
        }
        let channels: [(&'static str, &str); 3] =
            [("alipay", &it.alipay_url), ("wechat", &it.wechat_url), ("unionpay", &it.unionpay_url)];
        channels.into_iter().chain(it.bank_url.as_deref().map(|url| ("bank", url))).collect()
    }

    /// The adapters of all channels; nothing when no keys are set, because only
    /// the workers that pay or ask need them.
    ///
    /// # Errors
    /// When a key or an address is missing or wrong.
    pub(crate) fn gateways(&self) -> Result<Option<Gateways>> {
        let settings = &self.gateways;
        let Some(folder) = &settings.key_folder else { return Ok(None) };
        let folder = self.resolve(folder);
        let limits = Limits { total: Duration::from_secs(settings.call_seconds), ..Limits::default() };
        let read = |url: &str| {
            gateways::GatewaySettings::from_key_folder(&folder, url, limits)
                .with_context(|| format!("the gateways' keys in {}", folder.display()))
        };
        let mut channels = if let Some(url) = &settings.base_url {
            read(url)?
        } else {
            let bank = settings.bank_url.as_deref().ok_or_else(|| {
                let next = "set `bank_url` of [gateways], or `base_url` for a simulator";
                Failure::new(Exit::Usage, "the bank's address is not set", next)
            })?;
            let mut channels = read(bank)?;
            channels.alipay.base_url.clone_from(&settings.alipay_url);
            channels.wechat.base_url.clone_from(&settings.wechat_url);
            channels.unionpay.base_url.clone_from(&settings.unionpay_url);
            channels.unionpay.file_base_url.clone_from(&settings.unionpay_files_url);
            channels
        };
        if let Some(url) = &settings.notify_url {
            let url = notify_url(url, self.profile)?;
            channels.wechat.notify_url = Some(format!("{url}/wechat"));
            channels.unionpay.notify_url = Some(format!("{url}/unionpay"));
        }
        channels.no_dedup.clone_from(&settings.no_dedup);
        channels.signing = self.signing()?;
        Gateways::new(&channels).context("making the gateways' adapters").map(Some)
    }

    /// Whether calls are signed. Without signatures anybody could say that money
    /// was paid, so that only a benchmark against a simulator of this machine may
    /// leave them out.
    ///
    /// # Errors
    /// When signing is off anywhere else.
    fn signing(&self) -> Result<Signing, Failure> {
        let is_inside = self.gateways.base_url.as_deref().is_some_and(is_this_machine);
        match self.gateways.signing {
            SigningSwitch::On => Ok(Signing::On),
            SigningSwitch::Off if self.profile == Profile::Dev && is_inside => Ok(Signing::Off),
            SigningSwitch::Off => Err(Failure::new(
                Exit::Usage,
                "`signing` of [gateways] is off, which only a benchmark against a simulator on this machine may say",
                "remove `signing` from [gateways]",
            )),
        }
    }
}

/// Rails by their names on the wire.
fn rails<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rail>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    let rail = |word: &String| {
        let wrong = || D::Error::custom(format!("`{word}` is not one of alipay, wechat, unionpay and bank"));
        word.parse().map_err(|_| wrong())
    };
    words.iter().map(rail).collect()
}

fn rail_words<S: Serializer>(rails: &[Rail], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rails.iter().map(|rail| <&str>::from(*rail)))
}

/// Whether a plain address is the loopback's.
fn is_this_machine(url: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|start| url.strip_prefix(start).is_some_and(|it| it.starts_with([':', '/'])))
}

/// The longest that the channels take, the channel's own part left out.
const NOTIFY_URL_MAX: usize = 240;

/// The address without a slash at its end, if the channels would take it. A simulator
/// takes a plain one too, and may be in another container than the API.
fn notify_url(url: &str, profile: Profile) -> Result<&str, Failure> {
    let wrong = |rule: &str| {
        let next = "set `notify_url` of [gateways] to an address such as https://pay.example.com/v1/notices";
        Failure::new(Exit::Usage, format!("`notify_url` of [gateways] {rule}"), next)
    };
    let is_plain = url.starts_with("http://") && (profile == Profile::Dev || is_this_machine(url));
    if !url.starts_with("https://") && !is_plain {
        return Err(wrong(
            "must begin with https:// (http:// only on this machine or with the profile `dev`)",
        ));
    }
    if url.contains(['?', '#']) || url.contains(char::is_whitespace) {
        return Err(wrong("must have no query, no fragment and no space: WeChat Pay refuses them"));
    }
    if url.len() > NOTIFY_URL_MAX {
        return Err(wrong("must have at most 240 characters"));
    }
    Ok(url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use gateways::Signing;

    use super::{SigningSwitch, notify_url};
    use crate::settings::{Profile, Settings};

    #[test]
    fn calls_go_unsigned_only_to_a_simulator_of_this_machine_and_never_in_production() {
        for (profile, url, signing, expected) in [
            (Profile::Production, None, SigningSwitch::On, Some(Signing::On)),
            (Profile::Dev, Some("http://127.0.0.1:9090"), SigningSwitch::Off, Some(Signing::Off)),
            (Profile::Production, Some("http://127.0.0.1:9090"), SigningSwitch::Off, None),
            (Profile::Dev, Some("http://127.0.0.1.example.com"), SigningSwitch::Off, None),
            (Profile::Dev, Some("https://openapi.alipay.com"), SigningSwitch::Off, None),
            (Profile::Dev, None, SigningSwitch::Off, None),
        ] {
            let mut settings = Settings { profile, ..Settings::default() };
            settings.gateways.base_url = url.map(str::to_owned);
            settings.gateways.signing = signing;
            assert_eq!(settings.signing().ok(), expected, "{profile:?} {url:?} {signing:?}");
        }
    }

    #[test]
    fn an_address_that_a_channel_would_refuse_is_refused_here() {
        let long = format!("https://{}", "a".repeat(240));
        for (url, expected) in [
            ("https://pay.example.com/v1/notices", Ok("https://pay.example.com/v1/notices")),
            ("https://pay.example.com/v1/notices/", Ok("https://pay.example.com/v1/notices")),
            ("http://127.0.0.1:8086/v1/notices", Ok("http://127.0.0.1:8086/v1/notices")),
            ("http://pay.example.com/v1/notices", Err("must begin with https://")),
            ("http://127.0.0.1.example.com/", Err("must begin with https://")),
            ("https://pay.example.com/?a=b", Err("must have no query")),
            (long.as_str(), Err("at most 240 characters")),
        ] {
            let actual = notify_url(url, Profile::Production).map_err(|error| error.to_string());
            match expected {
                Ok(expected) => assert_eq!(actual.as_deref(), Ok(expected)),
                Err(words) => assert!(actual.clone().is_err_and(|it| it.contains(words)), "{actual:?}"),
            }
        }
    }

    #[test]
    fn a_simulator_in_another_container_may_send_its_notices_in_the_clear() {
        let url = "http://api:8086/v1/notices";
        assert_eq!(notify_url(url, Profile::Dev).ok(), Some(url));
        assert!(notify_url(url, Profile::Production).is_err());
        assert!(notify_url("ftp://api/v1/notices", Profile::Dev).is_err());
    }
}
