## Sign in with a password and a code
password-sign-in = パスワードでサインイン
password-for = 組織が許可しているお客様向けです。
password-way = パスワードでサインイン
password-refused-title = メールアドレス、パスワード、コードの組み合わせが正しくありません
password-refused-how = コードは一度しか使えません。次のコードを待ってお試しください。それでも入れないときは、管理者に新しい招待を依頼してください。
password-name = メールアドレス
password = パスワード
password-code = コード
password-code-hint = 認証アプリに今表示されている6桁の数字。
password-other-way = 別の方法でサインイン

## Choosing a password by invitation
password-choose = パスワードとコードを設定
password-choose-sub = パスキーのほうが安全で手早く使えます。使えない場合に限り、お客様の組織ではパスワードとコードでサインインできます。
password-choose-way = パスキーを使えないので、パスワードを設定する
password-scan = 認証アプリでこの画像を読み取ってください。
password-picture = 認証アプリ用のQRコード
password-type-instead = アプリに入力する場合:
password-new = 新しいパスワード
password-new-hint = 8文字以上。文字の種類は問いません。関連のない単語をいくつか並べるのが安全です。
password-rather-passkey = 代わりにパスキーを登録する

## One's own password
password-own = パスワードとコード
password-own-lead = パスワードと認証アプリのコードでサインインしています。どちらかを変更すると、ほかのセッションは終了します。
password-change = パスワードを変更
password-kind = パスワードとコード。
password-current = 現在のパスワード
password-show = パスワードを表示
password-current-refused = 現在のパスワードとコードの組み合わせが正しくありません
password-current-how = 何も変更していません。コードは一度しか使えません。次のコードを待ってお試しください。
password-changed = パスワードを変更しました。ほかのセッションは終了しました。
codes-change = コードの再設定
codes-change-text = 認証アプリや電話機を替えるときに使います。再設定すると、以前のコードは使えなくなります。
codes-begin = 新しいコードの設定に進む
codes-lead = 新しいコードの最初の1つを入力するまでは、今のコードを使えます。
codes-first = 新しいコードの最初の1つ
codes-keep = 新しいコードを使う
codes-leave = 今のコードを使い続ける
codes-changed = これからは新しいコードでサインインします。ほかのセッションは終了しました。

## What an organization's users may sign in with
access = サインイン
access-text = この組織の利用者に、パスキーのほかに認める方法です。役割を持つ人には適用されません。
access-passwords = パスワードとコード
access-passwords-hint = 安全性は下がります。偽サイトに両方とも盗まれるおそれがあります。
access-weaker = 確認方法を問わず、組織のIDプロバイダーを認める
access-weaker-hint = 認めない場合は、パスキー、セキュリティキー、スマートカードのいずれかを使ったとプロバイダーが示したときだけ入れます。
