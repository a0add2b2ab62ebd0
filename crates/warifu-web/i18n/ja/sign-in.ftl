## Sign in
sign-in = サインイン
sign-in-for = 担当者、管理者、お客様の共通の入口です。
continue-passkey = パスキーで続ける
continue-passkey-hint = この端末、電話、セキュリティキー
sign-in-noscript = パスキーにはJavaScriptが必要です。ほかの機能はJavaScriptなしで使えます。
sign-in-limits = 最長{ $life }、無操作は{ $idle }までです。
sign-in-network = ネットワーク（{ $network }）に結び付けられます。
sign-in-no-password = パスワードも、電話やメッセージの確認コードもありません。求められたら、それは当社ではありません。
sign-in-about = Warifuについて
sign-in-halves = 二つに割り、合わせて確かめる
sign-in-halves-text = 割符は二つに割って双方が持ち、合わさったときだけ証となりました。ここでは、パスキーとサイト、セッションとネットワーク、レポートと記録が、割符の両側です。
reference = 照会番号 { $reference }
sign-in-waiting = パスキーの確認を待っています
sign-in-unsupported = このブラウザーはパスキーに対応していません。新しいブラウザーをお使いください。
sign-in-none-title = この端末に、このサイトのパスキーがありません
sign-in-none-what = 何も送信していません。
sign-in-none-how = 登録した電話かセキュリティキーをお使いください。どちらもない場合は、管理者に新しい招待を頼んでください。
sign-in-closed-title = パスキーの画面が閉じられました
sign-in-closed-what = 何も変わっていません。パスキーはそのまま使えます。
sign-in-closed-how = 準備ができたら、もう一度お試しください。
sign-in-refused-title = このパスキーは受け付けられませんでした
sign-in-refused-what = セッションは開始していません。
sign-in-refused-how = ここで登録した別のパスキーをお使いください。どれも使えない場合は、管理者に新しい招待を頼んでください。
sign-in-throttled-title = このネットワークからの試行が多すぎます
sign-in-throttled-what = { $detail } からのサインインを、しばらく止めています。
sign-in-throttled-how = 数分お待ちください。ほかのネットワークには影響しません。
sign-in-idle-title = 無操作の時間が限度を超えました
sign-in-idle-what = { $detail }の間操作がなかったため、セッションを終了しました。
sign-in-idle-how = 下書きはこのブラウザーに残っています。サインインして続けてください。
sign-in-over-title = セッションの期限になりました
sign-in-over-what = 使用中でも、セッションは{ $detail }で終了します。
sign-in-over-how = 下書きはこのブラウザーに残っています。サインインして続けてください。
sign-in-moved-title = 別のネットワークに移りました
sign-in-moved-what = 現在のネットワーク：{ $detail }。セッションはすべて終了しました。
sign-in-moved-how = もう一度サインインすると続けられます。下書きはこのブラウザーに残っています。
sign-in-ended-title = このセッションは終了しました
sign-in-ended-what = サインアウト、取り消し、または役割の変更によるものです。
sign-in-ended-how = もう一度サインインしてください。心当たりがないときは、セキュリティ担当にご連絡ください。

## Enrol
enrol = パスキーの登録
enrol-welcome = { $name } さん、ようこそ
enrol-sub = この招待は一度だけ、このブラウザーで使えます。
enrol-until = 有効期限は{ $time }です。
enrol-name = このパスキーの名前
enrol-name-hint = ほかと区別できる名前（例：青いキー）。
enrol-button = この端末・キーを登録
enrol-button-hint = ブラウザーが指紋、顔、PINのいずれかを求めます
enrol-role = 役割：{ $role }
enrol-second = 続けてもう一つ登録してください。二つあれば、一つなくしても困りません。
enrol-gone-title = この招待は使えません
enrol-gone-what = 使用済み、期限切れ、または別のブラウザーで開かれています。登録はされていません。
enrol-gone-how = 招待した方に、新しい招待を依頼してください。
enrol-failed-title = パスキーは登録されませんでした
enrol-failed-what = 端末から応答がないか、応答が正しくありません。
enrol-failed-how = もう一度試すか、別の端末・キーをお使いください。

## Signed out
signed-out = サインアウトしました
signed-out-text = この端末とサーバーの両方で、セッションを終了しました。
signed-out-again = もう一度サインイン

## My passkeys
passkeys = パスキー
passkeys-lead = どれでもサインインできます。二つを別の場所に保管してください。
passkeys-one = パスキーが一つしかありません。なくすと、管理者から新しい招待を受けるまで入れません。もう一つ追加してください。
passkeys-added = 追加
passkeys-used = 最終使用
passkeys-kind = 種類
passkeys-synced = 端末間で同期
passkeys-bound = 一つの端末に固定
passkeys-never = 未使用
passkeys-this = このセッションで使用
passkeys-remove = 「{ $name }」を削除
passkeys-last = 最後の一つは削除できません
passkeys-add = パスキーを追加
passkeys-add-text = 今のパスキーと同じように使えます。追加したことは台帳に記録されます。
passkeys-actions = 操作

## Active sessions
sessions = 有効なセッション
sessions-mine = 自分のセッション
sessions-mine-lead = 現在サインインしている場所です。心当たりのないものは終了し、管理者に連絡してください。
sessions-who = 利用者
sessions-device = 端末とキー
sessions-left = 残り時間（上限{ $life }）
sessions-idle = 未使用の時間
sessions-key = { $kind }「{ $name }」
sessions-since = { $at }から
sessions-end-all = この人のすべてを終了
sessions-end-all-of = { $name }さんのセッションをすべて終了
sessions-this = このセッション
sessions-end = 終了
sessions-end-of = { $name }さんの{ $device }のセッションを終了
sessions-end-others = ほかをすべて終了
sessions-by-network = ネットワーク別
sessions-by-asn = ネットワークはAS番号で表します。セッションは、そのうち一つでのみ有効です。
sessions-by-prefix = ASNデータベースが設定されていません。セッションはアドレスの範囲に結び付けられるため、同じ事業者の中で移動しても再サインインが必要になることがあります。--asn-databaseで設定できます。

## What happened to one's own account
notices = お知らせ
notices-lead = あなたのアカウントで起きたことです。心当たりがない場合は、セッションを終了し、すぐに管理者に連絡してください。
notices-none = お知らせはありません
notices-none-text = パスキーの追加、終了したセッション、役割の変更がここに表示されます。
notices-see = 確認しました
notice-new = 新着：
notice-session-moved = { $from }で始めたセッションが{ $to }から使われたため、終了しました。
notice-session-ended = 管理者があなたのセッションを終了しました。
notice-session-recorded = 問い合わせに送られた記録に、あなたのセッションが含まれていました。記録から取り除き、セッションを終了しました。
notice-factor-added = サインインの方法として「{ $name }」が追加されました。
notice-factor-removed = パスキー「{ $name }」がアカウントから削除されました。
notice-roles-changed = あなたの役割が変更されました。
notice-key-copied = あなたのパスキーの複製を使ったサインインが試みられました。そのパスキーを交換してください。
notice-step-up-refused = あなたのセッションで保護された操作が試みられましたが、本人であることを確認できませんでした。

## Client certificates
certificate-continue = 証明書でサインインする
certificate-continue-hint = PIV・CACカード、またはこの端末の証明書
certificate-register = 証明書を登録する
certificate-name = 私のカード
certificate-label = この証明書の名前
certificate-add = 証明書を追加
certificate-add-text = PIV・CACカード、またはこの端末の証明書です。どれを使うかはブラウザーが尋ねます。パスキーと同じようにアカウントを開きます。
certificate-of = { $subject } の証明書
certificate-until = { $time } まで有効
certificate-proven = 証明書を確認しました
certificate-proven-text = もとのウィンドウで続きが進みます。このウィンドウは閉じてください。
certificate-refused-title = 証明書を受け付けられませんでした
certificate-refused-what = 何も開かれず、何も変更されていません。
certificate-refused-how = カードを挿し、サインイン用の証明書を選んで、もう一度お試しください。ブラウザーは閉じるまで一度しか尋ねません。続く場合は管理者にご連絡ください。

## Service accounts
services = サービスアカウント
services-lead = 自分の鍵でAPIを使うプログラムです。ここに届け出たネットワークからだけ使えます。10分間有効なトークンの取得先:
services-none = アカウントを持つプログラムはありません
service-may = できること
service-from = 使えるネットワーク
service-from-hint = 192.0.2.0/24 のような範囲か AS64496 のような番号を、空白で区切って入力します。
service-until = 期限
service-days = 有効日数（365日まで）
service-key = 公開鍵
service-key-hint = JWKを1つ入力します（P-256のEC、またはEd25519のOKP）。秘密鍵はプログラムの側に置いたままにします。
service-new = サービスアカウントを作る
service-new-text = ここで選んだ範囲で、APIだけを使えます。作るときにパスキーを確認します。
service-make = 作成
service-revoke = 取り消す
service-revoke-of = { $name } を取り消す
service-revoked = 取り消し済み
service-over = 期限切れ
list-comma = 、
service-scope-cases = 問い合わせの対応
service-scope-people-read = 人と組織の閲覧
service-scope-people-change = 人と組織の変更
service-scope-search = 検索
service-scope-reports = レポートの実行
service-scope-ledger-read = 台帳の閲覧
notice-service-refused = サービスアカウント { $name } の利用を拒みました。{ $from } から、本来とは違う使い方をした人がいます。
