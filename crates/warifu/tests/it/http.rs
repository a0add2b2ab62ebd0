//! A small HTTP client: cookies, forms, JSON. No redirects are followed unless a test says so.
//!
//! It sends what a browser sends on a click within the site (`Sec-Fetch-Site`, `Origin`), so that a
//! test of the protection against forged requests takes them away on purpose.

use crate::passkey::Passkey;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tokio::io::AsyncWriteExt as _;
use url::Url;

/// Somebody at the other end, with cookies of their own.
#[derive(Clone)]
pub struct Client {
    pub base: Url,
    pub cookies: BTreeMap<String, String>,
    /// Sent with every request; a test may change or remove them.
    pub headers: BTreeMap<String, String>,
    /// What a proxy sends before the first byte of a connection.
    pub announcement: Vec<u8>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
    /// Where it came from.
    pub url: Url,
}

/// A form of a page: its attributes and the fields it would send untouched.
#[derive(Clone, Debug)]
pub struct Form {
    pub attributes: BTreeMap<String, String>,
    pub fields: Vec<(String, String)>,
}

impl Client {
    /// `base` is `http://host:port`.
    pub fn new(base: &str) -> Self {
        let base = Url::parse(base).unwrap_or_else(|e| panic!("{base}: {e}"));
        let origin = base.origin().ascii_serialization();
        let headers = [
            ("accept", "text/html"),
            ("accept-language", "en"),
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { base, cookies: BTreeMap::new(), headers, announcement: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Bytes::new()).await
    }

    /// As [`Self::get`], and on to where the answer points, at most ten times.
    pub async fn follow(&mut self, path: &str) -> Answer {
        let mut answer = self.get(path).await;
        for _ in 0..10 {
            if !answer.status.is_redirection() {
                return answer;
            }
            answer = self.get(&answer.location()).await;
        }
        panic!("{path} leads in circles")
    }

    pub async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        self.send(Method::POST, path, Some(kind), body.into()).await
    }

    /// Sends a form of a page with some fields filled in, to where the form says.
    pub async fn submit(&mut self, form: &Form, filled: &[(&str, &str)]) -> Answer {
        let mut fields: Vec<(&str, &str)> = form
            .fields
            .iter()
            .filter(|(name, _)| !filled.iter().any(|(n, _)| n == name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fields.extend(filled);
        let action = form.attributes.get("action").expect("the form says where it goes");
        self.post_form(action, &fields).await
    }

    /// `multipart/form-data`; a file is `(field, file name, content type, bytes)`.
    pub async fn upload(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        files: &[(&str, &str, &str, &[u8])],
    ) -> Answer {
        let (kind, body) = Self::multipart(fields, files);
        self.send(Method::POST, path, Some(&kind), body).await
    }

    /// Content type and body of `multipart/form-data`.
    pub fn multipart(
        fields: &[(&str, &str)],
        files: &[(&str, &str, &str, &[u8])],
    ) -> (String, Bytes) {
        let boundary = "warifu-test-boundary-7d91c3";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("content-disposition: form-data; name=\"{name}\"\r\n\r\n{value}");
            body.extend(format!("--{boundary}\r\n{part}\r\n").bytes());
        }
        for (name, file, kind, content) in files {
            let part =
                format!("content-disposition: form-data; name=\"{name}\"; filename=\"{file}\"");
            body.extend(format!("--{boundary}\r\n{part}\r\ncontent-type: {kind}\r\n\r\n").bytes());
            body.extend_from_slice(content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{boundary}--\r\n").bytes());
        (format!("multipart/form-data; boundary={boundary}"), body.into())
    }

    pub async fn json(&mut self, method: Method, path: &str, body: &Value) -> Answer {
        let bytes = body.to_string().into();
        self.send(method, path, Some("application/json"), bytes).await
    }

    /// Proves oneself once more for a form marked with `data-step-up`, as the page's script does, and
    /// gives the form with its proof.
    pub async fn step_up(&mut self, mut form: Form, passkey: &mut Passkey) -> Form {
        let field =
            |name: &str| form.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let csrf = field("csrf").expect("the form carries its token");
        let parameters = form.attributes.get("data-parameters").cloned().unwrap_or_default();
        let mut parameters: BTreeMap<String, String> =
            url::form_urlencoded::parse(parameters.as_bytes()).into_owned().collect();
        for name in form.attributes.get("data-bound").map_or("", String::as_str).split_whitespace()
        {
            let sent = form.fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
            parameters.insert(name.to_owned(), sent.collect::<Vec<_>>().join(","));
        }
        let what = serde_json::json!({
            "action": form.attributes["data-step-up"], "parameters": parameters,
        });
        let proof = self.prove(&csrf, what, passkey).await;
        assert_eq!(proof.status, 200, "{}", proof.text());
        let proof = proof.value()["step_up"].as_str().expect("a proof").to_owned();
        form.fields.push(("step_up".to_owned(), proof));
        form
    }

    /// Touches the key for an action with its parameters.
    pub async fn prove(&mut self, csrf: &str, what: Value, passkey: &mut Passkey) -> Answer {
        let mut script = self.clone().header("x-csrf-token", csrf);
        script.headers.insert("accept".to_owned(), "application/json".to_owned());
        let options = script.json(Method::POST, "/step-up/options", &what).await;
        assert_eq!(options.status, 200, "{}", options.text());
        let options = options.value();
        let mut body = what;
        body["ceremony"] = options["ceremony"].clone();
        body["credential"] = passkey.get(&options["publicKey"]);
        let answer = script.json(Method::POST, "/step-up/verify", &body).await;
        // The session has a new id.
        self.cookies = script.cookies;
        answer
    }

    /// Goes through a `<form data-passkey>` as the page's script does: options, credential,
    /// verification. The passkey is made where the form enrols one.
    pub async fn passkey(&mut self, page: &Answer, passkey: &mut Passkey) -> Answer {
        self.passkey_form(&page.form("data-passkey", ""), passkey).await
    }

    /// The same for a form at hand.
    pub async fn passkey_form(&mut self, form: &Form, passkey: &mut Passkey) -> Answer {
        let mut fields: Map<String, Value> =
            form.fields.iter().map(|(n, v)| (n.clone(), Value::from(v.as_str()))).collect();
        let csrf = fields.remove("csrf").expect("the form carries its token");
        let mut client = self.clone().header("accept", "application/json");
        client.headers.insert("x-csrf-token".into(), csrf.as_str().expect("text").into());

        let body = Value::Object(fields.clone());
        let answer = client.json(Method::POST, &form.attributes["data-options"], &body).await;
        assert!(answer.status.is_success(), "{}: {}", answer.status, answer.text());
        let mut options = answer.value();
        let public_key = options["publicKey"].take();
        let credential = match form.attributes["data-passkey"].as_str() {
            "enrol" => passkey.create(&public_key),
            _ => passkey.get(&public_key),
        };
        for (name, value) in options.as_object().expect("an object") {
            if name != "publicKey" && name != "mediation" {
                fields.insert(name.clone(), value.clone());
            }
        }
        fields.insert("credential".into(), credential);
        let verify = &form.attributes["data-verify"];
        let answer = client.json(Method::POST, verify, &Value::Object(fields)).await;
        self.cookies = client.cookies;
        answer
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
    ) -> Answer {
        let url = self.base.join(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let (head, body) = self.open(method, path, kind, body).await.into_parts();
        let body = body.collect().await.unwrap_or_else(|e| panic!("{path} broke off: {e}"));
        Answer { status: head.status, headers: head.headers, body: body.to_bytes(), url }
    }

    /// As [`Self::send`], from a server that may be gone at any moment.
    ///
    /// # Errors
    /// Where no whole answer came.
    pub async fn try_send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
    ) -> Result<Answer, String> {
        let url = self.base.join(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let (head, body) = self.try_open(method, path, kind, body, None).await?.into_parts();
        let body = body.collect().await.map_err(|e| format!("{path} broke off: {e}"))?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes(), url })
    }

    /// Sends a request and hands over the answer while it comes: for downloads and live updates.
    pub async fn open(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
    ) -> hyper::Response<Incoming> {
        self.try_open(method, path, kind, body, None).await.unwrap_or_else(|e| panic!("{e}"))
    }

    /// As [`Self::open`], from a server that may be gone at any moment. With `window`, the system
    /// takes no more than about so many bytes that have not been read.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn try_open(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
        window: Option<u32>,
    ) -> Result<hyper::Response<Incoming>, String> {
        let url = self.base.join(path).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(url.origin(), self.base.origin(), "{path} leads elsewhere");
        let port = url.port_or_known_default().expect("http has a port");
        let authority = format!("{}:{port}", url.host_str().expect("http has a host"));
        let gone = |e: &dyn std::fmt::Display| format!("no answer from {url}: {e}");
        let stream = match window {
            None => tokio::net::TcpStream::connect(&authority).await,
            Some(bytes) => {
                let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
                socket.set_recv_buffer_size(bytes).expect("a small window");
                socket.connect(([127, 0, 0, 1], port).into()).await
            }
        };
        let mut stream = stream.map_err(|e| gone(&e))?;
        stream.write_all(&self.announcement).await.map_err(|e| gone(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| gone(&e))?;
        tokio::spawn(connection);

        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = Request::builder().method(method).uri(target);
        let host = self.headers.get("host").unwrap_or(&authority);
        request = request.header(header::HOST, host).header(header::CONNECTION, "close");
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        let request = request.body(Full::new(body)).expect("a well-formed request");
        let answer = sender.send_request(request).await.map_err(|e| gone(&e))?;
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().expect("a cookie is text"));
        }
        Ok(answer)
    }

    /// The same cookies at a server that listens elsewhere now.
    pub fn at(&self, base: &str) -> Self {
        let mut moved = Self::new(base);
        moved.cookies.clone_from(&self.cookies);
        moved.announcement.clone_from(&self.announcement);
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != "origin") {
            moved.headers.insert(name.clone(), value.clone());
        }
        moved
    }

    fn keep(&mut self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|p| p.split_once('=')) else { return };
        let gone = parts.any(|p| p.eq_ignore_ascii_case("max-age=0"));
        if gone || value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the answer is text")
    }

    /// The body as JSON.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// A header's value; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().expect("a header is text"))
    }

    /// Where a redirect points.
    pub fn location(&self) -> String {
        let location = self.header("location");
        assert!(!location.is_empty(), "{} has no location:\n{}", self.status, self.text());
        location.to_owned()
    }

    /// The first form whose `attribute` contains `part` (`form("action", "/reply")`).
    pub fn form(&self, attribute: &str, part: &str) -> Form {
        let forms = forms(self.text());
        let found = forms
            .into_iter()
            .find(|form| form.attributes.get(attribute).is_some_and(|value| value.contains(part)));
        found.unwrap_or_else(|| panic!("no form with {attribute}*={part:?}:\n{}", self.text()))
    }
}

/// The forms of a page. Enough for pages of ours: attributes in double quotes, fields as `input`
/// and `textarea` with a name; unchecked boxes and buttons send nothing.
pub fn forms(html: &str) -> Vec<Form> {
    let starts = html.match_indices("<form").map(|(at, _)| &html[at + 5..]);
    let forms = starts.map(|rest| {
        let inside = rest.split("</form>").next().unwrap_or(rest);
        let attributes = attributes(inside.split('>').next().unwrap_or(""));
        let mut fields = Vec::new();
        for tag in inside.split("<input").skip(1) {
            let input = self::attributes(tag.split('>').next().unwrap_or(""));
            let kind = input.get("type").map_or("text", String::as_str);
            let sent = match kind {
                "checkbox" | "radio" => input.contains_key("checked"),
                "submit" | "button" | "image" | "file" => false,
                _ => true,
            };
            if let (true, Some(name)) = (sent, input.get("name")) {
                let on = if matches!(kind, "checkbox" | "radio") { "on" } else { "" };
                let value = input.get("value").map_or(on, String::as_str);
                fields.push((name.clone(), value.to_owned()));
            }
        }
        for tag in inside.split("<textarea").skip(1) {
            let (head, rest) = tag.split_once('>').unwrap_or((tag, ""));
            if let Some(name) = self::attributes(head).remove("name") {
                let value = rest.split("</textarea>").next().unwrap_or("");
                fields.push((name, unescape(value)));
            }
        }
        Form { attributes, fields }
    });
    forms.collect()
}

fn attributes(tag: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = tag.trim_end_matches('/').trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap_or(quoted.len());
            value = unescape(&quoted[..end]);
            rest = quoted.get(end + 1..).unwrap_or("").trim_start();
        } else if let Some(bare) = rest.strip_prefix('=') {
            let end = bare.find(char::is_whitespace).unwrap_or(bare.len());
            value = unescape(&bare[..end]);
            rest = bare[end..].trim_start();
        }
        found.insert(name, value);
    }
    found
}

/// The references that askama writes.
fn unescape(text: &str) -> String {
    let plain = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    let named = [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    let all = plain.into_iter().chain(named);
    all.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
