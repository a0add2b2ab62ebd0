//! What a person does to a page: mouse, keyboard, files, a passkey.

use super::Page;
use super::page::quote;
use serde_json::{Value, json};
use std::path::Path;

impl Page {
    /// Clicks the middle of an element with the mouse, after waiting for it and scrolling to it.
    pub async fn click(&self, selector: &str) {
        self.wait_for(selector).await;
        let place = format!(
            "(() => {{ const e = document.querySelector({}); \
             e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const r = e.getClientRects()[0]; \
             const x = r.x + r.width / 2, y = r.y + r.height / 2; \
             const top = document.elementFromPoint(x, y); \
             const hit = e === top || e.contains(top) || (top?.contains(e) ?? false) \
               || [...(e.labels ?? [])].some((l) => l.contains(top)); \
             return {{ x, y, over: hit ? '' : (top?.outerHTML ?? 'nothing').slice(0, 200) }}; }})()",
            quote(selector)
        );
        let place = self.eval(&place).await;
        assert_eq!(place["over"], "", "{selector} is covered");
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let event = json!({
                "type": kind, "x": place["x"], "y": place["y"],
                "button": if kind == "mouseMoved" { "none" } else { "left" },
                "buttons": buttons, "clickCount": u8::from(kind != "mouseMoved"),
            });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Clicks the first shown link or button that carries these words.
    pub async fn click_text(&self, words: &str) {
        let mark = format!(
            "(() => {{ const words = {}; \
             document.querySelector('[data-test-here]')?.removeAttribute('data-test-here'); \
             const all = [...document.querySelectorAll('a, button, summary, label, [role=option]')]; \
             const shown = all.filter((e) => e.checkVisibility()); \
             const found = shown.find((e) => e.innerText.trim() === words) \
               ?? shown.find((e) => e.innerText.includes(words)); \
             found?.setAttribute('data-test-here', ''); return found; }})()",
            quote(words)
        );
        self.wait_until(&format!("something to click says {words:?}"), &mark).await;
        self.click("[data-test-here]").await;
    }

    /// Clicks a field, empties it and types text into it.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.click(selector).await;
        let select = format!("document.querySelector({}).select?.()", quote(selector));
        self.eval(&select).await;
        self.press("Backspace").await;
        self.type_text(text).await;
    }

    /// Types text where the focus is, as an input method does (also Japanese).
    pub async fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Chooses an option of a `<select>` by its value.
    pub async fn choose(&self, selector: &str, value: &str) {
        self.wait_for(selector).await;
        let choose = format!(
            "(() => {{ const e = document.querySelector({}); e.value = {}; \
             for (const t of ['input', 'change']) \
               e.dispatchEvent(new Event(t, {{ bubbles: true }})); return e.value; }})()",
            quote(selector),
            quote(value)
        );
        assert_eq!(self.eval(&choose).await, Value::from(value), "{selector} has no such option");
    }

    /// Presses and releases a key: `j`, `Enter`, `Control+k`, `Shift+Tab`.
    pub async fn press(&self, combination: &str) {
        let (held, key) = combination.rsplit_once('+').unwrap_or(("", combination));
        let modifiers: u32 = held
            .split('+')
            .map(|name| match name {
                "" => 0,
                "Alt" => 1,
                "Control" => 2,
                "Meta" => 4,
                "Shift" => 8,
                other => panic!("unknown modifier {other}"),
            })
            .sum();
        let (code, number, text) = key_of(key);
        // With Control held a letter is a command, not text.
        let text = if modifiers & 7 == 0 { text } else { String::new() };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [kind, "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": code, "modifiers": modifiers,
                "windowsVirtualKeyCode": number,
            });
            if kind == "keyDown" {
                event["text"] = text.as_str().into();
            }
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Puts files into an `<input type=file>`.
    pub async fn attach(&self, selector: &str, files: &[&Path]) {
        let document = self.call("DOM.getDocument", json!({})).await;
        let query = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
        let node = self.call("DOM.querySelector", query).await;
        let files = json!({ "nodeId": node["nodeId"], "files": files });
        self.call("DOM.setFileInputFiles", files).await;
    }

    /// Gives this page an authenticator that holds passkeys and consents at once; returns its id.
    pub async fn authenticator(&self) -> String {
        self.call("WebAuthn.enable", json!({ "enableUI": false })).await;
        let options = json!({
            "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal",
            "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let options = json!({ "options": options });
        let answer = self.call("WebAuthn.addVirtualAuthenticator", options).await;
        answer["authenticatorId"].as_str().expect("an id").to_owned()
    }

    /// The passkeys that an authenticator holds.
    pub async fn passkeys(&self, authenticator: &str) -> Vec<Value> {
        let which = json!({ "authenticatorId": authenticator });
        let mut answer = self.call("WebAuthn.getCredentials", which).await;
        answer["credentials"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }
}

/// `code`, Windows key code and text of a key.
fn key_of(key: &str) -> (String, u32, String) {
    let named = |code: &str, number, text: &str| (code.to_owned(), number, text.to_owned());
    match key {
        "Enter" => named("Enter", 13, "\r"),
        "Tab" => named("Tab", 9, ""),
        "Escape" => named("Escape", 27, ""),
        "Backspace" => named("Backspace", 8, ""),
        "Delete" => named("Delete", 46, ""),
        "ArrowLeft" => named("ArrowLeft", 37, ""),
        "ArrowUp" => named("ArrowUp", 38, ""),
        "ArrowRight" => named("ArrowRight", 39, ""),
        "ArrowDown" => named("ArrowDown", 40, ""),
        "Home" => named("Home", 36, ""),
        "End" => named("End", 35, ""),
        "PageUp" => named("PageUp", 33, ""),
        "PageDown" => named("PageDown", 34, ""),
        " " => named("Space", 32, " "),
        "/" => named("Slash", 191, "/"),
        "?" => named("Slash", 191, "?"),
        _ => {
            let c = key.chars().next().filter(|_| key.chars().count() == 1);
            let c = c.unwrap_or_else(|| panic!("unknown key {key}"));
            let upper = c.to_ascii_uppercase();
            let code = if c.is_ascii_digit() { "Digit" } else { "Key" };
            (format!("{code}{upper}"), u32::from(upper), key.to_owned())
        }
    }
}
