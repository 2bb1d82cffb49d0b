//! Statements of all four channels, read back with other readers.

mod client;

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client::World;
use encoding_rs::GBK;
use serde_json::json;

/// A world with one refund or transfer on each channel.
async fn played() -> World {
    let world = World::start().await;
    world.trade("alipay", "20260000").await;
    world.trade("wechat", "42000000").await;
    world.trade("unionpay", "202609010000000000000").await;
    world.alipay_refund("20260000", "WD000001", "12.34").await.expect("an answer");
    world.wechat_refund("42000000", "WD000001", 1_234).await.expect("an answer");
    world.unionpay_refund("202609010000000000000", "WD000001", "1234").await.expect("an answer");
    world.bank_transfer("62170000", "M1", "WD000001").await.expect("an answer");
    world
}

async fn get(world: &World, url: &str) -> Vec<u8> {
    world.http.get(url).send().await.expect("an answer").bytes().await.expect("a body").to_vec()
}

#[tokio::test]
async fn alipays_bill_is_a_gbk_archive_of_25_columns() {
    let world = played().await;
    let biz = json!({"bill_type": "trade", "bill_date": "2026-09-29"});
    let method = "alipay.data.dataservice.bill.downloadurl.query";
    let answer = world.alipay(method, &biz).await.expect("an answer");
    let url = answer["bill_download_url"].as_str().expect("an address");
    let mut archive = zip::ZipArchive::new(Cursor::new(get(&world, url).await)).expect("an archive");
    let mut member = archive.by_index(0).expect("a member");
    let (name, _, _) = GBK.decode(member.name_raw());
    assert_eq!(name, "20880000000000010156_20260929_业务明细.csv");
    let mut bytes = Vec::new();
    member.read_to_end(&mut bytes).expect("it unpacks");
    let (text, _, broken) = GBK.decode(&bytes);
    assert!(!broken);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert!(lines[..4].iter().all(|line| line.starts_with('#')) && lines[6].starts_with('#'));
    assert_eq!(lines[4].split(',').count(), 25);
    let cells: Vec<&str> = lines[5].split(',').collect();
    assert_eq!(cells.len(), 25);
    assert_eq!((cells[0], cells[2], cells[11], cells[21]), ("20260000\t", "退款\t", "-12.34", "WD000001\t"));
    world.advance_ms(30_000);
    assert_eq!(world.http.get(url).send().await.expect("an answer").status(), 404, "the address expires");
    let absent = json!({"bill_type": "trade", "bill_date": "2026-09-28"});
    assert_eq!(world.alipay(method, &absent).await.expect("an answer")["sub_code"], "isp.bill_not_exist");
}

#[tokio::test]
async fn wechats_bills_have_the_hash_of_the_unpacked_file() {
    let world = played().await;
    for (target, columns, expected) in [
        ("/v3/bill/tradebill?bill_date=2026-09-29&bill_type=ALL", 27, "`WD000001,`12.34,"),
        ("/v3/bill/tradebill?bill_date=2026-09-29&bill_type=REFUND&tar_type=GZIP", 29, "`WD000001,`12.34,"),
        ("/v3/bill/tradebill?bill_date=2026-09-01&bill_type=SUCCESS", 20, "`OUT42000000,"),
        (
            "/v3/bill/fundflowbill?bill_date=2026-09-29&tar_type=GZIP",
            11,
            "`退款,`退款,`支出,`12.34,`99999987.66,",
        ),
    ] {
        let (status, answer) = world.wechat("GET", target, "").await.expect("an answer");
        assert_eq!(status, 200, "{answer}");
        let url = answer["download_url"].as_str().expect("an address").to_owned();
        let path = url.strip_prefix(world.running().base_url()).expect("the same host");
        let mut bytes = world.wechat_bytes(path).await;
        if target.contains("GZIP") {
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut unpacked).expect("gzip");
            bytes = unpacked;
        }
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &bytes);
        assert_eq!(answer["hash_value"], hex::encode(hash));
        let text = String::from_utf8(bytes).expect("UTF-8");
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(
            (lines[0].split(',').count(), lines[1].split(',').count()),
            (columns, columns),
            "{target}"
        );
        assert!(lines[1].contains(expected), "{} lacks {expected}", lines[1]);
    }
    for (date, code) in
        [("2026-09-28", "NO_STATEMENT_EXIST"), ("2026-09-30", "INVALID_REQUEST"), ("x", "PARAM_ERROR")]
    {
        let target = format!("/v3/bill/tradebill?bill_date={date}");
        let (status, answer) = world.wechat("GET", &target, "").await.expect("an answer");
        assert_eq!((status, answer["code"].as_str()), (400, Some(code)), "{date}");
    }
}

#[tokio::test]
async fn unionpays_file_has_fixed_widths_and_is_packed_twice() {
    let world = played().await;
    let ask = |date: &'static str| {
        let fields = [
            ("txnType", "76"),
            ("txnSubType", "01"),
            ("bizType", "000000"),
            ("fileType", "00"),
            ("txnTime", "20260929165000"),
            ("settleDate", date),
        ];
        let world = &world;
        async move { world.unionpay("/filetransfer/", &fields).await.expect("an answer") }
    };
    let answer = ask("0929").await;
    assert_eq!(answer["fileName"], "777290058110048_20260929.zip");
    let packed = STANDARD.decode(answer["fileContent"].as_str().expect("text")).expect("base64");
    let mut archive = Vec::new();
    flate2::read::ZlibDecoder::new(&*packed).read_to_end(&mut archive).expect("zlib");
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let mut member = archive.by_index(0).expect("a member");
    assert_eq!(member.name_raw(), b"INN26092988ZM_777290058110048");
    let mut row = Vec::new();
    member.read_to_end(&mut row).expect("it unpacks");
    // 564 bytes of fields and 41 spaces between them, as in the sample, and CRLF.
    let sample = include_bytes!("fixtures/vectors/statements/unionpay_INN26112388ZM_777290058110048.txt");
    assert_eq!(row.len(), sample.len());
    let text = String::from_utf8(row).expect("ASCII");
    assert_eq!((&text[66..78], text[112..144].trim_end()), ("000000001234", "WD000001"));
    assert_eq!(ask("0928").await["respCode"], "98");
}

#[tokio::test]
async fn the_banks_balances_chain_from_day_to_day() {
    let world = played().await;
    world.bank_transfer("62170009", "M2", "WD000002").await.expect("an answer");
    world.advance_ms(10 * 24 * 3_600_000);
    let statement = |date: &'static str| {
        let url = world.url(&format!("/bank/camt053?date={date}"));
        let world = &world;
        async move { String::from_utf8(get(world, &url).await).expect("UTF-8") }
    };
    let balance = |text: &str, kind: &str| {
        let (_, rest) =
            text.split_once(&format!("<Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">")).expect(kind);
        rest.split_once('<').expect("an end").0.to_owned()
    };
    let first = statement("2026-09-29").await;
    assert_eq!(
        (balance(&first, "OPBD"), balance(&first, "CLBD")),
        ("1000000000.00".into(), "999999975.32".into())
    );
    assert_eq!(first.matches("<Ntry>").count(), 2);
    assert!(first.contains("<EndToEndId>WD000001<") && first.contains("<CdtDbtInd>DBIT<"));
    let second = statement("2026-10-09").await;
    assert_eq!(
        (balance(&second, "OPBD"), balance(&second, "CLBD")),
        ("999999975.32".into(), "999999987.66".into())
    );
    assert!(second.contains("<RvslInd>true<") && second.contains("<SubFmlyCd>RRTN<"));
    assert_eq!(
        world.http.get(world.url("/bank/camt053?date=2026-10-10")).send().await.expect("an answer").status(),
        404
    );
}
