## Why something is not done, by the code of the refusal. The English words stand where it is made.
# Text of a message or a new case
subject-empty = 件名が空です。件名を入力してください。
subject-long = 件名が{ $n }文字あります。{ $limit }文字以内にしてください。
body-empty = 本文が空です。本文を入力してください。
body-long = 本文が{ $n }バイトあります。{ $limit }バイト以内に分けてお送りください。
text-nul = テキストにNUL文字が含まれています。取り除いてください。
text-long = 長すぎるか、NUL文字が含まれています。{ $limit }文字以内で入力してください。
number = 数ではありません。数字で入力してください。
# Cases
product-unknown = その製品は登録されていません。一覧から選んでください。
requester-none = 誰からの問い合わせかを指定してください。
person-unknown = その人は登録されていません。
case-closed = この問い合わせは終了しています。この番号を書き添えて、新しい問い合わせを作成してください。
case-status = 「{ $from ->
        [new] 新規
        [open] 対応中
        [waiting] お客様待ち
        [solved] 解決
        [closed] 終了
       *[other] { $from }
    }」の問い合わせを「{ $to ->
        [new] 新規
        [open] 対応中
        [waiting] お客様待ち
        [solved] 解決
        [closed] 終了
       *[other] { $to }
    }」にすることはできません。
cases-many = 一度に変更できる問い合わせは{ $limit }件までです。選択を減らしてください。
assignee = この人は問い合わせの担当者になれません。別の人を選んでください。
changed-by = ご覧になっている間に、{ $name }さんが同じ項目を変更しました。新しい内容を確認してください。
changed = ご覧になっている間に、同じ項目が変更されました。新しい内容を確認してください。
status-unknown = そのような状態はありません。一覧から選んでください。
priority-unknown = そのような優先度はありません。一覧から選んでください。
place-unknown = 一覧のその位置は見つかりません。一覧の最初から開き直してください。
# Files
files-many = 一度に添付できるファイルは{ $limit }個までです。数を減らすか、分けてお送りください。
fields-many = フォームの項目が多すぎます。ページを読み込み直してください。
utf8 = UTF-8ではない文字が含まれています。文字コードを確認してください。
file-none = ファイルを選んでください。
too-large = { $bytes }バイトあります。上限は{ $limit }バイトです。
body-large = 送信された内容が大きすぎます。上限は{ $limit }バイトです。
har = HARファイルを受け付けられませんでした。保存していません。{ $kind ->
        [json] { $offset }バイト目で、JSONとして正しくありません。書き出し直してください。
        [har] { $offset }バイト目で、HARの形式と異なります。ブラウザーから書き出し直してください。
        [twice] { $offset }バイト目で、同じ名前が重複しています。書き出し直してください。
        [deep] { $offset }バイト目で、入れ子が深すぎます。
        [large] { $offset }バイト目の内容が大きすぎます。記録を短くしてください。
       *[unsafe] 機密情報を確実に取り除けませんでした。記録を短くして、書き出し直してください。
    }
# People and organizations
person-nameless = 氏名、メールアドレス、ユーザー名のいずれかを入力してください。
person-long = 「{ $field }」が{ $bytes }バイトあります。{ $limit }バイト以内にしてください。
person-nul = 「{ $field }」にNUL文字が含まれています。取り除いてください。
person-email = 「{ $email }」はメールアドレスではありません。@の前後に文字が必要です。
organization-unknown = その組織は登録されていません。一覧から選んでください。
organization-taken = 同じ名前の組織がすでにあります。別の名前にしてください。
record-changed = その間に、この記録は変更されました。新しい内容を確認してください。
name-empty = 名前が空です。名前を入力してください。
name-nul = 名前にNUL文字が含まれています。取り除いてください。
domain = ドメイン名ではありません。example.comのように入力してください。
products = 製品のキーに使えるのは、文字、数字、「-」「_」「.」です。
# Invitations and passkeys
email = 「{ $email }」はメールアドレスではありません。
email-off = { $email }は無効になっています。
email-unknown = { $email }の人は登録されていません。新しい担当者には役割を指定してください。
role-not-theirs = { $email }の所属では、役割「{ $role }」を持てません。
passkey-there = この人にはパスキーがあるか、以前ありました。新しい手段を渡す前に、サポートの本人確認が必要です。
email-taken = { $email }はすでに登録されています。その人のページから招待してください。
role-none = 新しい担当者の役割を選んでください。
switch-self = 自分自身を停止または再開することはできません。ほかの人に依頼してください。
switch-last = 最後の特権管理者は停止できません。先に別の人を特権管理者にしてください。
passkey-name = パスキーの名前は1～{ $limit }文字で入力してください。
passkey-known = このパスキーはすでに登録されています。
passkey-last = 最後のパスキーは削除できません。先に別のパスキーを追加してください。
ceremony-over = この手続きは終わっています。最初からやり直してください。
credential = パスキーを確認できませんでした。最初からやり直してください。
# Incidents
incident-title = 調べたいことを1～{ $limit }文字で入力してください。
incident-closed = このインシデントは終了しています。
incident-closed-already = このインシデントはすでに終了しています。
download-unmatched = このダウンロードはまだ照合されていません。先に照合してください。
search-running = このダウンロードはすでに照合中です。終わるまでお待ちください。
search-ended = 照合は終わっています。
search-broke = サーバー側で問題が起きました。運用担当にお伝えください。
size = { $text }は大きさとして読めません。バイト数か、64KiB、1.5MB、2GiBのように入力してください。
percentage = { $text }は0%から100%までの割合ではありません。
measure = { $text }は測り方の名前ではありません。一覧から選んでください。
bytes-none = ファイルは1バイト以上です。大きさを入力してください。
at-none = ダウンロードの日時を入力してください。
at-future = この日時はまだ来ていません。過去の日時を入力してください。
rows = 行数ではありません。数字で入力してください。
time = 「{ $text }」は日時として読めません。2023-09-28T15:06:00Z、2023-09-28 15:06:00、2023-09-28のように入力してください。
run-not-left = この実行のファイルはまだ出ていません。
# Reports
columns-none = 列が選ばれていません。1つ以上選んでください。
column-unknown = 列「{ $column }」はこのレポートにありません。
column-twice = 列「{ $column }」が2回選ばれています。一方を外してください。
order-unknown = 並べ替えに使う列「{ $column }」はありません。
order-long = 並べ替えに使える列は4つまでです。
limit-none = 行数の上限が0では、レポートが空になります。上限を空欄にするか、1以上にしてください。
filter-deep = 条件の入れ子は{ $limit }段までです。
filter-any = 「いずれか」に条件がありません。条件を追加してください。
filter-long = 条件は{ $limit }個までです。
filter-column = 列「{ $column }」はこのレポートにありません。
filter-fits = 列「{ $column }」には使えない比べ方です。別の比べ方を選んでください。
filter-value = 条件の値を入力してください。
filter-no-value = この条件に値は要りません。値を消してください。
filter-list = 値の一覧を入力してください。
filter-bool = trueかfalseを入力してください。
filter-empty = 空の値は「空欄」の条件で指定してください。
filter-text = 文字で入力してください。
filter-number = 「{ $text }」は整数ではありません。整数を入力してください。
filter-whole = 整数を入力してください。
filter-time = 2023-09-28T15:06:00Zのように日時を入力してください。
report-name = レポートの名前を1～{ $limit }文字で入力してください。
report-by-program = このフィルターはAPIで作られました。APIで変更してください。
report-over-limit = このレポートには個人データが{ $rows }行あります。{ $limit }行を超えるときは、あらためて判断が必要です。
report-everybody = このレポートには条件がなく、{ $rows }人全員が含まれます。
reason-none = これほど多くの人を含める理由を入力してください。
xlsx-rows = XLSXに入るのは{ $limit }行までです。CSVかJSON Linesを選ぶか、条件を追加してください。
# Runs
run-not-yours = ファイルをダウンロードできるのは、この実行を準備した人だけです。
run-left = この実行のファイルはすでに出ています。レポートをもう一度実行してください。
run-ended = この実行は終わっています。中止するものはありません。
run-leaving = ファイルがちょうど出始めました。もう一度中止してください。
run-not-whole = 比べられるのは、ファイルが最後まで出た実行だけです。この実行では出ていません。
run-unrecorded = この実行のファイルは記録されていません。
replay-ended = 再実行は終わっています。
# Requests
key-other = このIdempotency-Keyは別の要求で使われています。新しいキーを使ってください。
key-running = このIdempotency-Keyの最初の要求はまだ終わっていません。少し待ってお試しください。
too-many = 試行回数が多すぎます。{ $seconds }秒待ってからお試しください。
read-on = これ以上の人の記録を表示するには、パスキーの確認が必要です。確認すると、1日に合計{ $people }人まで表示できます。
read-later = 1日に表示できる人数に達しました。{ $seconds }秒待ってからお試しください。
read-on-other = 次の段階は{ $next }人までです。ページを読み込み直してください。
cancelled = 中止されました。
disk-full = サーバーのディスクに空きがありません。
unavailable = データベースに接続できません。
given-up = 時間内に応答できませんでした。もう一度試す前に、変更が反映されているか確認してください。
# Access
step-up = この操作には、パスキーによる再確認が必要です。JavaScriptを有効にしてページを読み込み直し、画面のボタンから操作してください。
forwarded = プロキシの{ $header }ヘッダーから、アクセス元のアドレスを特定できません。管理者の方は、プロキシの設定を確認してください。
tell = プロキシの設定が、存在しないヘッダーを求めています。tell= には user、email、name、groups、acr、auth-time をカンマ区切りで指定してください。
role-organization = この役割は、この人の組織では使えません。組織に合った役割を選んでください。
role-last = 最後の一人の特権管理者からは役割を外せません。先に別の人を指定してください。
role-unknown = 「{ $role }」という役割はありません。
policy-lifetime = 1分から24時間までにしてください。
policy-idle = 1分から2時間までにしてください。
policy-idle-longer = セッションの最長時間を超えることはできません。
policy-aaguid = 「{ $text }」はAAGUIDではありません。
policy-makes-none = 機種を1つ以上指定するか、一覧を外してください。
policy-aaguids = 機種は{ $limit }件までです。
policy-attestation = 許可する機種を先に指定してください。
policy-minutes = 分を整数で入力してください。
reason-long = { $limit }文字までです。
reason-missing = 理由を書いてください。現在より緩い設定になるか、ほかの特権管理者がサインインできなくなります。
environment-policy = 組織の環境はポリシーの一部です。ポリシーの画面で、パスキーを使って変更してください。
environment-moved = 組織の環境はすでに変更されています。ページを読み込み直してください。
approval-over = すでに決定されたか、期限が切れています。
role-second = 特権管理者にするには二人が必要です。まず別の役割を選び、その後、本人のページで指定してください。
approval-late = この変更が申請された後で特権管理者になったため、同意できません。もう一度申請してもらってください。
approval-own = 自分の変更には、ほかの人の同意が必要です。
networks-many = ネットワークは{ $limit }件までです。
network-member = 「{ $text }」はネットワークではありません。AS64496 または 203.0.113.0/24（/16以上、IPv6は/32以上）の形で書いてください。
passkey-synced = このパスキーは端末間で同期されますが、あなたの役割では認められていません。セキュリティキーを使ってください。
passkey-make = あなたの役割で使える認証器は限られていて、これはその中にありません。
certificate-known = この証明書の鍵は登録済みか、以前に登録されて取り外されています。別の証明書をお使いください。
# Applications
openid-client = 呼び出し元のアプリケーションは、このアドレスでは登録されていません。アプリケーションの管理者は、クライアントIDとリダイレクトURIを確認してください。
application-name = アプリケーションの名前は{ $limit }文字以内で入力してください。
application-roles = 入れるロールを一つ以上選んでください。
application-max-age = 本人確認からの時間は1分から{ $limit }分の間で指定してください。
application-acr = 必要な本人確認はphrかphrhです。
application-kind = アプリケーションの種類はforward_authかopenidです。
application-redirect = リダイレクトURIを一つ以上指定してください。
application-backchannel = セッション終了の通知先は一つだけです。
application-taken = このアドレスのアプリケーションはすでに登録されています。
application-host = 同じホストの別のポートに、すでに{ $name }が登録されています。ブラウザーは一方のアプリケーションのクッキーを他方にも送ります。別のホスト名を使ってください。
application-address = { $address }はアプリケーションのアドレスとして使えません。httpsで、ホストを含み、名前やパスワード、フラグメントのないものにしてください。
application-own-host = { $address }はこのサーバーと同じホストです。このサーバーのCookieがアプリケーションに届いてしまうので使えません。
application-origin = { $address }にはパスが含まれています。スキーム、ホスト、ポートだけを指定してください。
# Identity providers
provider-issuer = 発行者はプロバイダーの表記のとおりに入力してください。https:// で始まり、ホスト名を含み、クエリは付けません。
provider-text = 1文字以上{ $limit }文字以内で入力してください。
provider-organization = 「{ $name }」という組織はありません。
provider-host = { $host }にも接続または移動します。意図したものであれば、追加のホストに加えてください。
provider-silent = このアドレスからは、この名前のIDプロバイダーとしての応答がありません。
# Passwords
password-code = 認証アプリに今表示されているコードと一致しません。
password-short = パスワードは{ $limit }文字以上にしてください。
password-long = パスワードは{ $limit }文字以内にしてください。
password-common = 真っ先に試される類のパスワードです。関連のない単語をいくつか組み合わせてください。
password-breached = 過去に漏えいしたパスワードです。そうした一覧を持つ攻撃者に真っ先に試されます。
password-name = パスワードを使うには、ほかのアカウントのサインインに使われていないメールアドレスが必要です。管理者にお問い合わせください。
access-vendor = 自社の担当者がサインインに使えるのは、フィッシングに強い方法だけです。
# Checks of callers
verify-text = 依頼した人と理由を、それぞれ1文字以上{ $limit }文字以内で入力してください。
verify-own = 自分のアカウントの本人確認には関われません。ほかの人が行います。
verify-ended = この本人確認は終了しています。新しく始めてください。
verify-step = この手順はまだ行えません。次の手順は「{ $step ->
        [call_back] 折り返し電話
        [look] 目視確認
        [tally] 割符の照合
        [approval] 承認
       *[approved] 待機と実行
    }」です。
verify-number = この番号は登録から{ $days }日たっていないか、登録されていません。
verify-called-at = 電話の時刻は、依頼より後、現在より前にしてください。
verify-time = 時刻は「2026-12-02 09:18」のように入力してください。
verify-seen = 確認できない項目があります。本人確認を終了してください。
verify-colleague = この人は保証できません。ほかの同僚を指定してください。
verify-vouch = あなたの確認を待っているものはありません。
verify-tallies = コードを使い切りました。本人確認を終了してください。
verify-tally-gone = このコードは使用済みか期限切れです。新しいコードを作成してください。
verify-half = 一致しません。残り{ $left }回です。
verify-two-parts = すでにこの本人確認に関わっています。別の人が承認します。
verify-approved-by-you = あなたが承認したため、実行は別の担当者が行います。
verify-void = 承認された内容が変わっています。もう一度承認を受けてください。
verify-delay = { $time }まで待機中です。その間、本人は中止できます。
verify-expired = 時間が経過しすぎました。新しい本人確認を始めてください。
verify-channel = 依頼の経路を選んでください。
verify-open = このアカウントの本人確認がすでに進行中です。続けるか、終了してください。
verify-factor = この人の認証要素ではないか、最後の1つです。すべてをリセットしてください。
verify-wish = すべてをリセットするか、どれを削除するかを選んでください。
email-enrolled = { $email }には認証要素があるか、以前ありました。本人確認か「warifu break-glass open」を使ってください。
role-sealed = この環境には封印コードがあります。特権管理者が役割を付与するか、「warifu break-glass open」を使ってください。
break-glass-who = { $email }は特権管理者ではありません。封印コードは特権管理者だけに使えます。
break-glass-code = この環境の封印コードではありません。
service-name = 名前は1～{ $limit }文字で入力してください。
service-scopes = できることを1つ以上選んでください。
service-networks = ネットワークを1～{ $limit }件指定してください。
service-network = 「{ $text }」はネットワークではありません。アドレス、192.0.2.0/24のようなプレフィックス、AS64496のいずれかの形で書いてください。
service-network-wide = 「{ $text }」は広すぎます。/8以上（IPv6は/19以上）にしてください。
service-days = 有効日数は1～{ $limit }日で入力してください。
service-key = 公開鍵を1つのJWKで書いてください。P-256のECか、Ed25519のOKPが使えます。
service-key-private = これは秘密鍵です。秘密鍵は作った場所から出さず、公開鍵のほうを書いてください。
access-kind-unknown = その種類はありません。case、file、person、report、listのいずれかを指定してください。
time-zone-unknown = そのタイムゾーンは見つかりません。
