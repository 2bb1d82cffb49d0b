// People at the console, in a real Chromium. One line `ok …` for each thing that
// holds; the first that does not ends the run with its reason.
//
// OUTFLOW_API_URL, OUTFLOW_SIMULATOR_URL and three tokens lead to the stage;
// SCREENSHOTS, where it is set, is a folder for pictures of the pages; OUTFLOW is
// the program, whose environment is this one's.
"use strict";

const { execFileSync } = require("node:child_process");
const { mkdtempSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { chromium } = require("playwright-core");

const URL_ = process.env.OUTFLOW_API_URL;
const SIMULATOR = process.env.OUTFLOW_SIMULATOR_URL;
const NUMBER = "6222020200112233445";
const ARGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

const holds = (what, actual, expected) => {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`FAILED ${what}: ${a} and not ${b}`);
  console.log(`ok ${what}`);
};

const outflow = (...args) => execFileSync(process.env.OUTFLOW, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

const message = (id, kind, data) => ({
  specversion: "1.0", id, source: "/shop", type: `outflow.${kind}.v1`, time: new Date().toISOString(), data,
});

const publish = (messages) => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "console-")), "messages.json");
  writeFileSync(file, JSON.stringify(messages));
  outflow("publish", file);
};

const api = async (who, method, place, body, key) => {
  const headers = { authorization: `Bearer ${process.env[`OUTFLOW_${who}_TOKEN`]}` };
  if (key) headers["idempotency-key"] = key;
  const answer = await fetch(URL_ + place, { method, headers, body: body && JSON.stringify(body) });
  return answer.json();
};

const until = async (what, look) => {
  for (let tries = 0; tries < 300; tries += 1) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`waited in vain for ${what}`);
};

// Two accounts: one whose gateway answers, and one whose gateway never does.
const world = async () => {
  const now = new Date(Date.now() - 3_600_000).toISOString();
  for (const [account, ending, fen] of [["acct-1", "0000", 4_000_000], ["acct-2", "0013", 90_000]]) {
    const trade = { channel: "alipay", trade_no: `2026112322001${ending}`, out_trade_no: `O${account}${ending}`, total_fen: fen };
    await fetch(`${SIMULATOR}/_sim/trades`, { method: "POST", body: JSON.stringify(trade) });
    publish([
      message(`a-${account}`, "account.upserted", {
        account_id: account, version: 1, currency: "CNY", kind: "person", real_name: "李雷", real_name_verified: true, partner_mode: "none",
      }),
      message(`t-${account}`, "top_up.credited", {
        account_id: account, version: 2, top_up_id: `T-${account}`, channel: "alipay", amount: (fen / 100).toFixed(2), currency: "CNY",
        arrived_at: now, channel_paid_at: now, bonus: false, trade_no: trade.trade_no, out_trade_no: trade.out_trade_no, payer_name: "李雷",
      }),
    ]);
    await until("the account", async () => (await api("OPERATOR", "GET", `/v1/accounts/${account}/quote`)).source?.maximum === (fen / 100).toFixed(2));
  }
};

const ask = (account, amount, key, who = "OPERATOR") =>
  api(who, "POST", "/v1/withdrawals", { account_id: account, amount, currency: "CNY", route: "source" }, key);

let browser;
const complaints = [];

const person = async (who, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("console", (it) => it.type() === "error" && complaints.push(`${page.url()}: ${it.text()}`));
  page.on("pageerror", (it) => complaints.push(`${page.url()}: ${it}`));
  await page.goto(`${URL_}/`);
  await page.fill("input[name=token]", process.env[`OUTFLOW_${who}_TOKEN`]);
  await page.click("button[type=submit]");
  await page.waitForSelector("main#main");
  return page;
};

const picture = async (page, name) => {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
};

const told = (page) => page.textContent("main .told, main .refusal").then((it) => it.trim());

const sessions = async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${URL_}/approve`);
  holds("nobody sees a page before the login", new URL(page.url()).pathname, "/login");
  await picture(page, "login");
  const answer = await page.request.post(`${URL_}/login`, { form: { token: "nobody's" }, maxRedirects: 0 });
  holds("a token that is nobody's opens nothing", answer.status(), 401);
  const one = await person("APPROVER");
  const [cookie] = (await one.context().cookies()).filter((it) => it.name === "outflow_session");
  holds("the cookie is out of reach for scripts and other sites", [cookie.httpOnly, cookie.sameSite], [true, "Strict"]);
  const forged = await one.request.post(`${URL_}/channels/all/pause`, { form: { reason: "forged" }, maxRedirects: 0 });
  holds("a form that is not of the session does nothing", forged.status(), 403);
  const policy = (await one.request.get(`${URL_}/`)).headers()["content-security-policy"];
  holds("the content policy forbids what is inline", policy.includes("unsafe") || !policy.includes("default-src 'none'"), false);
  return one;
};

const approvals = async (wang) => {
  const asked = await ask("acct-1", "8000.00", "big-1");
  const zhao = await person("SECOND_APPROVER");
  for (const [page, who, state] of [[wang, "wang.fang", "pending approval"], [zhao, "zhao.lei", null]]) {
    await page.goto(`${URL_}/approve`);
    await page.click("text=big-1");
    await page.waitForSelector("#decide");
    await picture(page, "approve");
    await page.keyboard.press("a");
    await page.keyboard.type("seen and agreed");
    await page.click("#approve");
    holds(`the approval of ${who} counts`, await told(page), "Your approval counts.");
    if (state) {
      holds("one approval of two leaves it waiting", (await page.textContent(".hero .badge")).includes(state), true);
      holds("who approved it cannot approve it again", await page.isDisabled("#approve"), true);
    }
  }
  await until("the payment", async () => (await api("OPERATOR", "GET", `/v1/withdrawals/${asked.withdrawal_id}`)).state === "completed");
  // Nobody reloads: the page follows by itself.
  await zhao.mouse.click(5, 5);
  await zhao.waitForSelector(".hero .badge.good", { timeout: 15_000 });
  console.log("ok two people approve and the page follows to paid");
  await picture(zhao, "withdrawal");

  const own = await ask("acct-1", "7000.00", "own-1", "APPROVER");
  await wang.goto(`${URL_}/withdrawals/${own.withdrawal_id}`);
  holds("nobody approves what they asked for", [await wang.isDisabled("#approve"), await wang.isVisible(".obstacle")], [true, true]);
  await picture(wang, "own-request");
  return own.withdrawal_id;
};

const unknown = async (page) => {
  const asked = await ask("acct-2", "88.80", "doubt-1");
  const place = `/v1/withdrawals/${asked.withdrawal_id}`;
  await until("the doubt", async () => (await api("OPERATOR", "GET", place)).legs?.[0]?.state === "unknown");
  await page.goto(`${URL_}/attention`);
  await picture(page, "attention");
  holds("what is unknown is explained", (await page.textContent("main")).includes("Is money at risk?"), true);
  await page.goto(`${URL_}/withdrawals/${asked.withdrawal_id}`);
  const words = await page.$$eval("[data-safe-actions] button, [data-safe-actions] a", (all) => all.map((it) => it.textContent.trim()));
  holds("an unknown outcome offers safe actions only", words, ["Ask the gateway now", "Find it in the statement", "Escalate"]);
  const forms = await page.$$eval("main form", (all) => all.map((it) => it.getAttribute("action").split("/").pop()));
  holds("no form of the page sends again", forms, ["ask", "escalate"]);
  await page.click("text=Ask the gateway now");
  holds("the gateway is asked", await told(page), "The gateway will be asked in a moment.");
  await picture(page, "unknown");
};

const parked = async (page) => {
  const data = { account_id: "acct-1", amount: 1.5, currency: "CNY", route: "source", requester: "li.wei", requested_at: new Date().toISOString(), bank_account: { number: NUMBER } };
  const file = path.join(mkdtempSync(path.join(tmpdir(), "console-")), "bad.json");
  writeFileSync(file, JSON.stringify(message("parked-1", "withdrawal.requested", data)));
  execFileSync(process.env.PUBLISH_RAW, ["outflow.requests", file]);
  await until("the parked message", async () => (await api("OPERATOR", "GET", "/v1/parked-messages")).items.length > 0);
  await page.goto(`${URL_}/parked`);
  await picture(page, "parked");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#body");
  const shown = await page.inputValue("#body");
  holds("a parked message is opened masked", [shown.includes("****3445"), shown.includes(NUMBER)], [true, false]);
  await page.fill("#body", shown.replace("1.5", '"1.50"'));
  await page.fill("form.edit input[name=reason]", "the amount was a number");
  await picture(page, "parked-edit");
  await page.click("form.edit button");
  holds("an edited message is sent again", await told(page), "The message was sent again.");
  holds("the difference is kept", await page.textContent("table.diff tbody"), '/data/amount1.5"1.50"');
  await until("the decision", async () => (await api("OPERATOR", "GET", "/v1/withdrawals?q=parked-1")).items[0]?.amount === "1.50");
};

const search = async (page, id) => {
  await page.goto(`${URL_}/`);
  await picture(page, "overview");
  await page.keyboard.press("/");
  await page.keyboard.type("own-1");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/withdrawals/${id}`);
  console.log("ok a search that finds one leads there");
  await page.keyboard.press("Escape");
  await page.mouse.click(5, 400);
  await page.keyboard.press("?");
  holds("the keyboard is explained", await page.isVisible("dialog#help"), true);
  await page.keyboard.press("Escape");
};

const pages = async () => {
  const page = await person("APPROVER", { colorScheme: "dark", locale: "zh-CN" });
  for (const [place, title] of [["/", "总览"], ["/withdrawals", "提现记录"], ["/schedule", "排期"], ["/channels", "渠道"], ["/reconciliation", "对账"], ["/audit", "审计"], ["/simulator", "网关模拟器"], ["/attention", "需要关注"]]) {
    await page.goto(URL_ + place);
    holds(`${place} is there in Chinese`, await page.textContent("main h1"), title);
    await picture(page, `zh-dark-${place.slice(1) || "overview"}`);
  }
  await page.click("text=English");
  holds("the language is a matter of choice", await page.textContent("main h1"), "Needs attention");
};

const withdraw = async () => {
  const page = await person("OPERATOR", { javaScriptEnabled: false });
  await page.goto(`${URL_}/withdraw?account=acct-1`);
  await page.fill("input[name=amount]", "12.34");
  await page.click("text=Send a code");
  await page.fill("input[name=code]", (await page.textContent(".told strong")).trim());
  await picture(page, "withdraw");
  await page.click("button[value=ask]");
  await page.waitForSelector(".hero");
  holds("a customer withdraws without scripts, with a real message", (await page.textContent(".hero .amount")).trim(), "12.34 CNY");
  await page.goto(`${URL_}/channels`);
  await page.fill("form[action='/channels/bank/pause'] input[name=reason]", "a test");
  await page.click("form[action='/channels/bank/pause'] button");
  holds("a channel is stopped without scripts", await told(page), "Sends are stopped.");
  await page.fill("form[action='/channels/bank/resume'] input[name=reason]", "a test");
  await page.click("form[action='/channels/bank/resume'] button");
  holds("and goes on", await told(page), "Sends go on.");
};

const run = async () => {
  await world();
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGS.split(" ") });
  try {
    const wang = await sessions();
    const id = await approvals(wang);
    await unknown(wang);
    await parked(wang);
    await search(wang, id);
    await pages();
    await withdraw();
    holds("no page complained", complaints.filter((it) => !it.includes("401") && !it.includes("403")), []);
  } finally {
    await browser.close();
  }
};

run().catch((error) => {
  console.error(error.stack || error);
  process.exit(1);
});
