//! Fetches the statement of a day from its channel.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use chrono::NaiveDate;
use domain::Rail;
use serde::Deserialize;

use crate::alipay::Alipay;
use crate::bank::Bank;
use crate::doubt::{Doubt, plain};
use crate::gateways::Gateways;
use crate::statement::{Statement, StatementError, read_alipay, read_bank, read_unionpay, read_wechat};
use crate::unionpay::UnionPay;
use crate::wechat::WeChat;
use crate::wire::Request;

impl Gateways {
    /// The statement of a day in Beijing; nothing when the channel had no business
    /// on it.
    ///
    /// # Errors
    /// [`StatementError`]; the day is not reconciled then.
    pub async fn statement(&self, rail: Rail, day: NaiveDate) -> Result<Option<Statement>, StatementError> {
        match rail {
            Rail::Alipay => self.alipay.statement(day).await,
            Rail::WeChat => self.wechat.statement(day).await,
            Rail::UnionPay => self.unionpay.statement(day).await,
            Rail::Bank => self.bank.statement(day).await,
        }
    }
}

#[derive(Deserialize)]
struct AlipayNode {
    code: String,
    #[serde(default)]
    sub_code: String,
    #[serde(default)]
    sub_msg: String,
    bill_download_url: Option<String>,
}

impl Alipay {
    async fn statement(&self, day: NaiveDate) -> Result<Option<Statement>, StatementError> {
        let method = "alipay.data.dataservice.bill.downloadurl.query";
        let content = serde_json::json!({"bill_type": "trade", "bill_date": day.to_string()});
        let node = self.call(method, content.to_string()).await?;
        let node: AlipayNode =
            serde_json::from_str(&node).map_err(|_| Doubt::unreadable("the node has unexpected fields"))?;
        if ["BILL_NOT_EXIST", "NO_BILL_DATA", "isp.bill_not_exist"]
            .iter()
            .any(|code| node.sub_code.ends_with(code))
        {
            return Ok(None);
        }
        let Some(url) = node.bill_download_url.filter(|_| node.code == "10000") else {
            return Err(Doubt::new(&plain(&node.sub_code), &node.sub_msg).into());
        };
        let answer = self.wire.download(&url, Request::get("")).await?;
        if !answer.is_success() {
            return Err(Doubt::new(&format!("http_{}", answer.status), "the file").into());
        }
        read_alipay(&answer.body).map(Some)
    }
}

#[derive(Deserialize)]
struct WeChatBill {
    hash_type: String,
    hash_value: String,
    download_url: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WeChatProblem {
    code: String,
    message: String,
}

impl WeChat {
    async fn statement(&self, day: NaiveDate) -> Result<Option<Statement>, StatementError> {
        let answer =
            self.call(Request::get(format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL"))).await?;
        if !answer.is_success() {
            let problem: WeChatProblem = serde_json::from_slice(&answer.body).unwrap_or_default();
            return match problem.code.as_str() {
                "NO_STATEMENT_EXIST" => Ok(None),
                "STATEMENT_CREATING" => Err(StatementError::NotReady),
                code => Err(Doubt::new(&plain(code), &problem.message).into()),
            };
        }
        let bill: WeChatBill = serde_json::from_slice(&answer.body)
            .map_err(|_| Doubt::unreadable("the answer is not a bill"))?;
        let url =
            reqwest::Url::parse(&bill.download_url).map_err(|_| Doubt::unreadable("the bill's address"))?;
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let request = self.signed(Request::get(path))?;
        let file = self.wire.download(url.as_str(), request).await?;
        if !file.is_success() {
            return Err(Doubt::new(&format!("http_{}", file.status), "the file").into());
        }
        // The file is not signed; its hash came in a signed answer.
        let hash = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &file.body));
        if bill.hash_type != "SHA1" || !hash.eq_ignore_ascii_case(&bill.hash_value) {
            return Err(Doubt::signature("the file has another hash").into());
        }
        read_wechat(&file.body).map(Some)
    }
}

impl UnionPay {
    async fn statement(&self, day: NaiveDate) -> Result<Option<Statement>, StatementError> {
        let answer = self.file(day).await?;
        match answer.get("respCode") {
            "00" => read_unionpay(answer.get("fileContent")).map(Some),
            "98" => Ok(None),
            code => Err(Doubt::new(&plain(code), answer.get("respMsg")).into()),
        }
    }
}

impl Bank {
    async fn statement(&self, day: NaiveDate) -> Result<Option<Statement>, StatementError> {
        let answer = self.call(Request::get(format!("/bank/camt053?date={day}"))).await?;
        match answer.status {
            200 => read_bank(&answer.body).map(Some),
            404 => Ok(None),
            status => Err(Doubt::new(&format!("http_{status}"), "the statement").into()),
        }
    }
}
