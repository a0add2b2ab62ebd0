## 端末の鍵に結び付けられたセッション
sessions-bound = この端末に固定
sessions-signs = 保護された操作に署名
session-bound-signs = { $network } 一致・保護された操作はこのブラウザーが署名
sign-in-device-title = このセッションは別の端末のものです
sign-in-device-what = サインインしたときのブラウザーであることを確認できませんでした。
sign-in-device-how = もう一度サインインすると続けられます。何度も起こるときは、運用担当にご連絡ください。
notice-device-key = あなたのセッションが、結び付けられた端末の鍵なしで使われました。Cookieが複製されたおそれがあります。
error-device-title = このブラウザーの署名がありません
error-device-what = 何も変更されていません。このセッションはサインインしたブラウザーの鍵に結び付けられていますが、要求に署名がありませんでした。
error-device-how = JavaScriptを有効にして読み込み直し、もう一度お試しください。それでも直らないときは、いったんサインアウトしてサインインし直してください。
