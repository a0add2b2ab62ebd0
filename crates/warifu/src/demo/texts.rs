//! What customers ask and agents answer, in English and Japanese.

/// One kind of case.
pub struct Topic {
    pub product: &'static str,
    pub tags: &'static str,
    pub en: Words,
    pub ja: Words,
}

/// Its words in one language. `{n}` becomes a number.
pub struct Words {
    pub subject: &'static str,
    pub body: &'static str,
    pub reply: &'static str,
    pub answer: &'static str,
    pub note: &'static str,
}

pub const TOPICS: [Topic; 10] = [
    Topic {
        product: "wic",
        tags: "saml,sign-in",
        en: Words {
            subject: "Sign-in loops after SAML certificate rollover",
            body: "Since we rolled over our SAML signing certificate this morning, about {n} users are sent back to the sign-in page again and again. Others get in without trouble.\n\nWe have checked that the new certificate is active at our identity provider.",
            reply: "Thank you for the details. The two certificates overlap until midnight UTC, and your service provider metadata still names the old one first. Please upload the new metadata under Security → Identity providers, then ask one affected person to try in a private window.",
            answer: "That was it, the metadata was the old one. The first {n} people are back in.",
            note: "Same cause as last week's case from their sister company. Metadata cached for 24 h.",
        },
        ja: Words {
            subject: "SAML証明書の更新後、サインインが繰り返されます",
            body: "今朝SAML署名証明書を更新してから、約{n}名の利用者がサインイン画面に何度も戻されます。問題なく入れる人もいます。\n\n新しい証明書がIDプロバイダーで有効なことは確認済みです。",
            reply: "詳しい情報をありがとうございます。二つの証明書は本日24時（UTC）まで併用されており、御社のメタデータでは古い証明書が先に記載されています。「セキュリティ → IDプロバイダー」で新しいメタデータを登録し、お一人にシークレットウィンドウでお試しいただけますか。",
            answer: "ご指摘のとおり、メタデータが古いままでした。まず{n}名が入れるようになりました。",
            note: "先週の関連会社の件と同じ原因。メタデータは24時間キャッシュされる。",
        },
    },
    Topic {
        product: "wic",
        tags: "mfa",
        en: Words {
            subject: "New phones: how do {n} people move their authenticator?",
            body: "We are replacing {n} phones next week. What is the safest way to move everybody's authenticator without switching MFA off?",
            reply: "Please do not switch it off. Everybody can add the new phone while the old one still works: Settings → Security methods → Add. Then remove the old one. For people whose old phone is gone, your administrators can start a verified reset.",
            answer: "Understood. We will do it in two groups and keep the old phones for a day.",
            note: "Sent the runbook. Watch for reset requests from this organization next week; verify each one by video.",
        },
        ja: Words {
            subject: "端末の交換：{n}名分の認証アプリを移すには",
            body: "来週{n}台の携帯電話を交換します。MFAを無効にせずに、認証アプリを安全に移す方法を教えてください。",
            reply: "MFAは無効にしないでください。古い端末が使えるうちに「設定 → セキュリティ方法 → 追加」で新しい端末を登録し、その後で古い端末を削除します。古い端末が手元にない方は、管理者様から本人確認付きのリセットを開始できます。",
            answer: "承知しました。二組に分けて行い、古い端末は一日残しておきます。",
            note: "手順書を送付。来週はこの組織からのリセット依頼に注意。必ずビデオで本人確認。",
        },
    },
    Topic {
        product: "wic",
        tags: "provisioning,scim",
        en: Words {
            subject: "SCIM stops after {n} users with error 429",
            body: "Our nightly SCIM sync stops after {n} users. The log says 429 Too Many Requests. It worked until Tuesday.",
            reply: "The limit for bulk changes was lowered on Tuesday while we looked into another fault; it is back since an hour ago. Your next sync should go through. If it stops again, send us the X-Request-Id of the first 429.",
            answer: "Tonight's sync went through with all users.",
            note: "Limit had been set per organization instead of per token. Ticket with the platform team is closed.",
        },
        ja: Words {
            subject: "SCIM同期が{n}名で429エラーになり止まります",
            body: "夜間のSCIM同期が{n}名で止まり、ログに 429 Too Many Requests と出ます。火曜日までは動いていました。",
            reply: "火曜日に別の障害を調べるため一括変更の上限を下げておりましたが、一時間前に元へ戻しました。次の同期は通るはずです。再び止まる場合は、最初の429の X-Request-Id をお知らせください。",
            answer: "今夜の同期は全員分通りました。",
            note: "上限がトークン単位ではなく組織単位になっていた。基盤チームの件は解決済み。",
        },
    },
    Topic {
        product: "cis",
        tags: "api",
        en: Words {
            subject: "Token endpoint answers invalid_client for one app",
            body: "One of our {n} applications gets invalid_client at the token endpoint since we rotated its secret. The others use the same library.",
            reply: "The new secret ends with a line feed: it was copied with one from the console. Trim it, or rotate once more and copy with the button. We have made the console reject such secrets.",
            answer: "Confirmed, there was a newline. Thanks for the quick find.",
            note: "Asked docs to add it to the troubleshooting page.",
        },
        ja: Words {
            subject: "一つのアプリだけトークン取得で invalid_client になります",
            body: "{n}個のアプリのうち一つだけ、シークレットを更新してからトークンエンドポイントで invalid_client になります。他のアプリは同じライブラリです。",
            reply: "新しいシークレットの末尾に改行が含まれています。取り除くか、もう一度更新してボタンでコピーしてください。管理画面ではこのような値を拒否するようにしました。",
            answer: "確かに改行が入っていました。早い調査をありがとうございます。",
            note: "文書チームにトラブルシューティングへの追記を依頼。",
        },
    },
    Topic {
        product: "wic",
        tags: "phishing,security",
        en: Words {
            subject: "Suspicious call that claimed to be your help desk",
            body: "Somebody called {n} of our people, said they were from your help desk and asked them to approve a sign-in. Is this you?",
            reply: "No. We never ask anybody to approve a sign-in, and never call without a case that you can see in the portal. Please have these people check their recent sign-ins; we have looked at your audit log and saw no sign-in from an unknown network today.",
            answer: "Nobody approved. We have warned everyone.",
            note: "Third report this month. Numbers forwarded to the incident team.",
        },
        ja: Words {
            subject: "ヘルプデスクを名乗る不審な電話がありました",
            body: "御社のヘルプデスクを名乗る人物が、弊社の{n}名に電話をかけ、サインインの承認を求めました。御社からの連絡でしょうか。",
            reply: "当社からの電話ではありません。サインインの承認をお願いすることはなく、ポータルで確認できるケースなしにお電話することもありません。該当の方に最近のサインイン履歴の確認をお願いします。本日の監査ログには、未知のネットワークからのサインインはありませんでした。",
            answer: "承認した者はおりませんでした。全員に注意を呼びかけました。",
            note: "今月三件目。電話番号を障害対応チームへ共有。",
        },
    },
    Topic {
        product: "wic",
        tags: "outage,sign-in",
        en: Words {
            subject: "Sign-in slow from Tokyo, up to {n} seconds",
            body: "Since 09:00 JST sign-in takes up to {n} seconds for our Tokyo office. Osaka is fine.",
            reply: "One of two paths to our Tokyo region lost packets between 09:04 and 09:51 JST. Traffic has been moved to the other path. Please tell us if anyone still sees more than two seconds.",
            answer: "Back to normal here.",
            note: "Linked to the status page entry.",
        },
        ja: Words {
            subject: "東京からのサインインに最大{n}秒かかります",
            body: "日本時間9時から、東京オフィスでサインインに最大{n}秒かかります。大阪は問題ありません。",
            reply: "東京リージョンへの二経路のうち一つで、9時4分から9時51分までパケット損失がありました。現在はもう一方の経路へ切り替えています。二秒を超える方がいらっしゃればお知らせください。",
            answer: "こちらでは元に戻りました。",
            note: "ステータスページの記事に紐付け済み。",
        },
    },
    Topic {
        product: "cis",
        tags: "billing",
        en: Words {
            subject: "Invoice shows {n} more active users than our console",
            body: "Invoice for last month counts {n} active users more than the console. Which of the two is right?",
            reply: "Both: the invoice counts everybody who signed in at least once in the month, the console those of the last 30 days. The attached list names the people who make the difference.",
            answer: "Clear, thank you. We will adapt our report.",
            note: "List was checked against the usage table.",
        },
        ja: Words {
            subject: "請求書の利用者数が管理画面より{n}名多い",
            body: "先月の請求書では、管理画面より{n}名多い利用者数になっています。どちらが正しいのでしょうか。",
            reply: "どちらも正しい数字です。請求書は月内に一度でもサインインした方、管理画面は直近30日の方を数えています。差となる方の一覧を添付します。",
            answer: "よく分かりました。社内の集計を合わせます。",
            note: "一覧は利用実績と照合済み。",
        },
    },
    Topic {
        product: "wic",
        tags: "device,macos",
        en: Words {
            subject: "Device trust fails on {n} Macs after the update",
            body: "After the operating system update device trust fails on {n} Macs: \"certificate not found\". Reinstalling the agent helps, but we cannot do that everywhere.",
            reply: "The update moves the keychain item. Version 4.12 of the agent finds it in both places; you can roll it out by your MDM, no reinstall is needed. Until then these Macs can sign in with a security key.",
            answer: "4.12 is out to all Macs and works.",
            note: "Known issue, fixed in 4.12.",
        },
        ja: Words {
            subject: "更新後、{n}台のMacでデバイス認証に失敗します",
            body: "OSの更新後、{n}台のMacで「証明書が見つかりません」となりデバイス認証に失敗します。エージェントの再インストールで直りますが、全台では行えません。",
            reply: "更新によりキーチェーンの項目が移動します。エージェント4.12は両方の場所を確認しますので、MDMで配布してください。再インストールは不要です。それまではセキュリティキーでサインインできます。",
            answer: "全台に4.12を配布し、解決しました。",
            note: "既知の問題。4.12で修正済み。",
        },
    },
    Topic {
        product: "wic",
        tags: "admin,audit",
        en: Words {
            subject: "Who changed our password policy on Friday?",
            body: "Our password policy was changed on Friday evening, and none of our {n} administrators remembers doing it. Can you tell who it was?",
            reply: "The change came from a session of one of your own administrators on your office network; your system log has it under policy.lifecycle.update. No one at our side has opened your policies in the last 90 days; your access transparency page shows the same.",
            answer: "Found it, it was a colleague's script. Thank you.",
            note: "No staff access on record. Confirmed in the ledger.",
        },
        ja: Words {
            subject: "金曜日にパスワードポリシーを変更したのは誰ですか",
            body: "金曜日の夜に弊社のパスワードポリシーが変更されましたが、{n}名の管理者の誰も覚えがありません。誰が変更したか分かりますか。",
            reply: "御社の管理者様のお一人が、御社のネットワークから変更されています。システムログの policy.lifecycle.update をご覧ください。過去90日間、当社の者が御社のポリシーを開いた記録はありません。",
            answer: "同僚のスクリプトによるものでした。ありがとうございます。",
            note: "当社側のアクセス記録なし。台帳で確認済み。",
        },
    },
    Topic {
        product: "cis",
        tags: "email,delivery",
        en: Words {
            subject: "Password reset mails arrive {n} minutes late",
            body: "Password reset mails to our domain arrive {n} minutes late since yesterday, so the links have expired.",
            reply: "Your mail gateway defers our new sending address with 451. Please allow the address range in the attached document; we have raised the lifetime of the links for your organization to 60 minutes until then.",
            answer: "The range is allowed now and mails arrive at once.",
            note: "Lifetime goes back to 15 minutes on Monday.",
        },
        ja: Words {
            subject: "パスワード再設定メールが{n}分遅れて届きます",
            body: "昨日から、弊社ドメイン宛のパスワード再設定メールが{n}分遅れて届き、リンクの期限が切れてしまいます。",
            reply: "御社のメールゲートウェイが当社の新しい送信元を451で保留しています。添付資料のアドレス範囲を許可してください。それまでの間、御社のリンクの有効期限を60分に延ばしました。",
            answer: "許可したところ、すぐに届くようになりました。",
            note: "有効期限は月曜日に15分へ戻す。",
        },
    },
];
