## Sign in at an identity provider
sign-in-providers = 組織のアカウントでサインイン
sign-in-with = { $name }で続ける
sign-in-provider-refused-title = このサインインは受け付けられませんでした
sign-in-provider-refused-what = IDプロバイダーから必要な確認が得られなかったか、招待を受けていません。セッションは開始されていません。
sign-in-provider-refused-how = IDプロバイダーで、パスキーかセキュリティキーを使ってサインインしてください。それでも入れないときは、管理者に招待を依頼してください。
sign-in-provider-down-title = IDプロバイダーから応答がありません
sign-in-provider-down-what = セッションは開始されていません。
sign-in-provider-down-how = 数分待ってからお試しください。ここで使えるパスキーがあれば、それでもサインインできます。
signed-out-provider = { $name }でもサインアウトするため、移動します。
signed-out-provider-go = { $name }でサインアウト

## The list of identity providers
providers = IDプロバイダー
providers-lead = 組織から与えられたアカウントで、ここにサインインできるようにします。
providers-connected = 接続済み
providers-rule = 役割を持つ人は、パスキー、セキュリティキー、スマートカードのいずれかを使ったとプロバイダーが示したときだけ入れます。招待されていない人は入れません。
providers-refused = キーが受け付けられなかったため、何も変更していません。
provider-name = 名前
provider-name-hint = ボタンに「…で続ける」と表示されます。
provider-for = 対象
provider-own = 自社の担当者
provider-organization = 顧客
provider-organization-hint = 組織の名前。自社の担当者が対象なら空欄のままにします。
provider-issuer = 発行者（issuer）
provider-issuer-hint = プロバイダーの表記のとおりに。例: https://id.example.com
provider-client = クライアントID
provider-secret = クライアントシークレット
provider-secret-hint = 暗号化して保存し、再び表示することはありません。
provider-hosts = 接続先のホスト
provider-further-hosts = 追加のホスト
provider-hosts-hint = 発行者のほかに接続するホストを空白で区切って入力します。これ以外には接続しません。
provider-add = プロバイダーを接続
provider-is-off = オフ
provider-on = オンにする
provider-off = オフにする
provider-on-of = { $name }をオンにする
provider-off-of = { $name }をオフにする
provider-remove = 削除
provider-remove-of = { $name }を削除
provider-callback = リダイレクトURI
provider-signed-out = サインアウト後のリダイレクト先
provider-back-channel = バックチャネルログアウト

## Proving oneself once more at the provider
stepped-up = 本人確認ができました
stepped-up-close = このウィンドウは自動で閉じます。閉じない場合は、閉じて元の画面に戻ってください。
stepped-up-refused = 受け付けられませんでした
stepped-up-refused-how = 何も変更していません。このウィンドウを閉じ、パスキーかセキュリティキーでやり直してください。
