//! A merchant as the gateways see one, written from the wire description alone.

#![allow(dead_code, reason = "each test file is a program of its own and uses a part")]

pub(crate) mod inbox;

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simulator::{Options, Running, SimClock, Simulator};
use tempfile::TempDir;

/// 2026-09-29T16:50:00+08:00, before a long holiday.
pub(crate) const START_MS: i64 = 1_790_671_800_000;

/// A simulator with a manual clock on the fixture keys, and a merchant.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) options: Options,
    pub(crate) running: Option<Running>,
    pub(crate) http: reqwest::Client,
    /// Base URL of whoever receives notices.
    pub(crate) notices: String,
    keys: [KeyPair; 4],
}

pub(crate) fn keys_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keys")
}

fn key(name: &str) -> KeyPair {
    let pem = fs::read_to_string(keys_dir().join(name)).expect("the key is there");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    KeyPair::from_pkcs8(&STANDARD.decode(body).expect("base64")).expect("a key")
}

pub(crate) fn sign(key: &KeyPair, message: &[u8]) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("it fits");
    STANDARD.encode(signature)
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = Options::on_loopback(keys_dir(), folder.path().join("book.jsonl"));
        options.clock = SimClock::manual(START_MS);
        change(&mut options);
        let running = Simulator::start(options.clone()).await.expect("it starts");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let keys = [
            key("alipay/app_private_pkcs8.pem"),
            key("wechat/merchant_key.pem"),
            key("unionpay/merchant_key.pem"),
            key("bank/corporate_key.pem"),
        ];
        Self { folder, options, running: Some(running), http, notices: "http://127.0.0.1:9".into(), keys }
    }

    /// Stops the simulator and starts another one on the same book.
    pub(crate) async fn restart(&mut self) {
        self.running.take().expect("it runs").stop().await;
        self.running = Some(Simulator::start(self.options.clone()).await.expect("it starts again"));
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running().base_url())
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        let clock = &self.options.clock;
        clock.set_ms(clock.now_ms() + ms).expect("the clock is manual");
    }

    /// Registers a trade of 100 yuan whose number ends as given.
    pub(crate) async fn trade(&self, channel: &str, trade_no: &str) {
        let trade = json!({"channel": channel, "trade_no": trade_no, "out_trade_no": format!("OUT{trade_no}"),
            "total_fen": 10_000, "paid_at": "2026-09-01T00:00:00+08:00", "payer_name": "张三"});
        let answer = self.http.post(self.url("/_sim/trades")).json(&trade).send().await.expect("an answer");
        assert_eq!(answer.status(), 201);
    }

    /// Calls Alipay; `None` when no answer came. Panics on an unsigned answer.
    pub(crate) async fn alipay(&self, method: &str, biz: &Value) -> Option<Value> {
        let mut params = vec![
            ("app_id", "2021000000000001".to_owned()),
            ("biz_content", biz.to_string()),
            ("charset", "utf-8".to_owned()),
            ("method", method.to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", "2026-11-23 10:00:00".to_owned()),
            ("version", "1.0".to_owned()),
        ];
        let text: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
        params.push(("sign", sign(&self.keys[0], text.join("&").as_bytes())));
        let answer = self.http.post(self.url("/gateway.do")).form(&params).send().await.ok()?;
        if answer.status() != 200 {
            return Some(json!({ "http": answer.status().as_u16() }));
        }
        let body: Value = answer.json().await.ok()?;
        assert!(body["sign"].as_str().is_some_and(|sign| sign.len() == 344), "{body}");
        Some(body[format!("{}_response", method.replace('.', "_"))].clone())
    }

    pub(crate) async fn alipay_refund(&self, trade_no: &str, number: &str, yuan: &str) -> Option<Value> {
        let biz = json!({"trade_no": trade_no, "out_request_no": number, "refund_amount": yuan});
        self.alipay("alipay.trade.refund", &biz).await
    }

    pub(crate) async fn alipay_query(&self, trade_no: &str, number: &str) -> Option<Value> {
        let biz = json!({"trade_no": trade_no, "out_request_no": number});
        self.alipay("alipay.trade.fastpay.refund.query", &biz).await
    }

    fn authorize(&self, method: &str, target: &str, body: &str) -> String {
        let now = self.options.clock.now_ms() / 1000;
        let text = format!("{method}\n{target}\n{now}\nabc\n{body}\n");
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str=\"abc\",timestamp=\"{now}\",\
             serial_no=\"5A3C9D1E7F8B0A2C4D6E8F0A1B2C3D4E5F607182\",signature=\"{}\"",
            sign(&self.keys[1], text.as_bytes())
        )
    }

    /// Calls `WeChat`; status and body, or `None` when no answer came.
    pub(crate) async fn wechat(&self, method: &str, target: &str, body: &str) -> Option<(u16, Value)> {
        let answer = self
            .http
            .request(method.parse().expect("a method"), self.url(target))
            .header("Authorization", self.authorize(method, target, body))
            .body(body.to_owned())
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.unwrap_or(Value::Null)))
    }

    /// The raw body of a signed GET.
    pub(crate) async fn wechat_bytes(&self, target: &str) -> Vec<u8> {
        let answer =
            self.http.get(self.url(target)).header("Authorization", self.authorize("GET", target, ""));
        answer.send().await.expect("an answer").bytes().await.expect("a body").to_vec()
    }

    /// Waits until so many notices are in line.
    pub(crate) async fn waits_for_notices(&self, count: u64) {
        for _ in 0..500 {
            let answer = self.http.get(self.url("/_sim/requests")).send().await.expect("an answer");
            let seen: Value = answer.json().await.expect("JSON");
            if seen["notices_waiting"] == count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("there were never {count} notices in line");
    }

    pub(crate) async fn wechat_refund(&self, trade_no: &str, number: &str, fen: i64) -> Option<(u16, Value)> {
        let body = json!({"transaction_id": trade_no, "out_refund_no": number,
            "notify_url": self.notify_url("/wechat"),
            "amount": {"refund": fen, "total": 10_000, "currency": "CNY"}});
        self.wechat("POST", "/v3/refund/domestic/refunds", &body.to_string()).await
    }

    pub(crate) async fn wechat_query(&self, number: &str) -> Option<(u16, Value)> {
        self.wechat("GET", &format!("/v3/refund/domestic/refunds/{number}"), "").await
    }

    fn notify_url(&self, path: &str) -> String {
        format!("{}{path}", self.notices)
    }

    /// Calls `UnionPay`; the fields of the raw line.
    pub(crate) async fn unionpay(&self, path: &str, fields: &[(&str, &str)]) -> Option<Value> {
        let mut form: Vec<(&str, String)> = vec![
            ("version", "5.1.0".into()),
            ("encoding", "UTF-8".into()),
            ("signMethod", "01".into()),
            ("accessType", "0".into()),
            ("channelType", "07".into()),
            ("merId", "777290058110048".into()),
            ("certId", "68759585097".into()),
        ];
        form.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        form.sort();
        let text: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.join("&").as_bytes());
        form.push(("signature", sign(&self.keys[2], hex::encode(digest).as_bytes())));
        let answer = self.http.post(self.url(path)).form(&form).send().await.ok()?;
        if answer.status() != 200 {
            return Some(json!({ "http": answer.status().as_u16() }));
        }
        let line = answer.text().await.ok()?;
        Some(
            line.split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(k, v)| (k.to_owned(), json!(v)))
                .collect(),
        )
    }

    pub(crate) async fn unionpay_refund(&self, trade_no: &str, number: &str, fen: &str) -> Option<Value> {
        let back_url = self.notify_url("/unionpay");
        let fields = [
            ("txnType", "04"),
            ("txnSubType", "00"),
            ("bizType", "000201"),
            ("orderId", number),
            ("txnTime", "20260929165000"),
            ("origQryId", trade_no),
            ("txnAmt", fen),
            ("backUrl", &back_url),
        ];
        self.unionpay("/gateway/api/backTransReq.do", &fields).await
    }

    pub(crate) async fn unionpay_query(&self, number: &str) -> Option<Value> {
        let fields = [
            ("txnType", "00"),
            ("txnSubType", "00"),
            ("bizType", "000000"),
            ("orderId", number),
            ("txnTime", "20260929165000"),
        ];
        self.unionpay("/gateway/api/queryTrans.do", &fields).await
    }

    /// Sends a pain.001; status and report.
    pub(crate) async fn bank(&self, xml: &str) -> Option<(u16, String)> {
        let answer = self
            .http
            .post(self.url("/bank/pain001"))
            .header("X-Signature", sign(&self.keys[3], xml.as_bytes()))
            .body(xml.to_owned())
            .send()
            .await
            .ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// One ordinary transfer of 12.34 yuan to an account.
    pub(crate) async fn bank_transfer(
        &self,
        account: &str,
        msg_id: &str,
        number: &str,
    ) -> Option<(u16, String)> {
        self.bank(&pain001(msg_id, &[(number, "12.34", account)])).await
    }

    pub(crate) async fn bank_status(&self, query: &str) -> (u16, String) {
        let answer =
            self.http.get(self.url(&format!("/bank/status?{query}"))).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a body"))
    }
}

/// A pain.001 with transfers of number, amount and account.
pub(crate) fn pain001(msg_id: &str, transfers: &[(&str, &str, &str)]) -> String {
    let lines: Vec<String> = transfers
        .iter()
        .map(|(number, amount, account)| {
            format!(
                "<CdtTrfTxInf><PmtId><InstrId>{number}</InstrId><EndToEndId>{number}</EndToEndId></PmtId>\
                 <Amt><InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt><Cdtr><Nm>张三</Nm></Cdtr>\
                 <CdtrAcct><Id><Othr><Id>{account}</Id></Othr></Id></CdtrAcct></CdtTrfTxInf>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
         <CstmrCdtTrfInitn><GrpHdr><MsgId>{msg_id}</MsgId><CreDtTm>2026-09-29T16:50:00+08:00</CreDtTm>\
         <NbOfTxs>{}</NbOfTxs><InitgPty><Nm>示例</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>{msg_id}-1</PmtInfId>\
         <PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>2026-09-29</Dt></ReqdExctnDt><Dbtr><Nm>示例</Nm></Dbtr>\
         <DbtrAcct><Id><Othr><Id>62220000000000000001</Id></Othr></Id></DbtrAcct><DbtrAgt><FinInstnId><ClrSysMmbId>\
         <MmbId>102100099996</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>{}</PmtInf></CstmrCdtTrfInitn></Document>",
        transfers.len(),
        lines.concat()
    )
}
