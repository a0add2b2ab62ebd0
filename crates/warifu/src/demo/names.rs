//! Invented people and organizations. No real ones; every address ends in `.example`.

use super::chance::Chance;
use warifu_domain::Timestamp;
use warifu_domain::organizations::{Environment, Organization};
use warifu_domain::people::Person;
use warifu_domain::time::DAY;

const GIVEN: [&str; 48] = [
    "Ada", "Amara", "Anaïs", "Andrei", "Beatriz", "Bruno", "Carla", "Chloé", "Daniel", "Dina",
    "Elif", "Emil", "Farah", "Felix", "Gaia", "Gustav", "Hana", "Hugo", "Irene", "Ivan", "Jürgen",
    "José", "Kira", "Lena", "Liam", "Łukasz", "Maya", "Mateo", "Nadia", "Noah", "Olga", "Oscar",
    "Petra", "Priya", "Quinn", "Rafael", "Renée", "Samir", "Sofia", "Søren", "Tariq", "Tessa",
    "Uma", "Viktor", "Wanda", "Yara", "Zoë", "Zane",
];
const FAMILY: [&str; 52] = [
    "Abara",
    "Almeida",
    "Andersson",
    "Åberg",
    "Banerjee",
    "Bauer",
    "Brandt",
    "Castellan",
    "Çelik",
    "Costa",
    "D'Arcy",
    "Dahl",
    "Devereux",
    "Eriksen",
    "Farkas",
    "Ferreira",
    "Fischer",
    "Garrido",
    "Haddad",
    "Holm",
    "Ibarra",
    "Ivanova",
    "Jansen",
    "Kaplan",
    "Keller",
    "Kowalski",
    "Laurent",
    "Lindqvist",
    "Marchetti",
    "Moreau",
    "Müller",
    "Muñoz",
    "Nguyễn",
    "Novak",
    "O'Neil",
    "Okafor",
    "Oyelaran",
    "Papadakis",
    "Pereira",
    "Quist",
    "Rossi",
    "Ruiz",
    "Sandoval",
    "Schäfer",
    "Sørensen",
    "Tanaka-Reed",
    "Torres",
    "Uzun",
    "Varga",
    "Weber",
    "Yilmaz",
    "Zimmer",
];
const JA_FAMILY: [(&str, &str); 24] = [
    ("佐藤", "sato"),
    ("鈴木", "suzuki"),
    ("高橋", "takahashi"),
    ("田中", "tanaka"),
    ("伊藤", "ito"),
    ("渡辺", "watanabe"),
    ("山本", "yamamoto"),
    ("中村", "nakamura"),
    ("小林", "kobayashi"),
    ("加藤", "kato"),
    ("吉田", "yoshida"),
    ("山田", "yamada"),
    ("佐々木", "sasaki"),
    ("山口", "yamaguchi"),
    ("松本", "matsumoto"),
    ("井上", "inoue"),
    ("木村", "kimura"),
    ("林", "hayashi"),
    ("清水", "shimizu"),
    ("斎藤", "saito"),
    ("森", "mori"),
    ("池田", "ikeda"),
    ("橋本", "hashimoto"),
    ("阿部", "abe"),
];
const JA_GIVEN: [(&str, &str); 20] = [
    ("健太", "kenta"),
    ("美咲", "misaki"),
    ("大輔", "daisuke"),
    ("結衣", "yui"),
    ("翔太", "shota"),
    ("陽子", "yoko"),
    ("拓海", "takumi"),
    ("千尋", "chihiro"),
    ("直樹", "naoki"),
    ("さくら", "sakura"),
    ("悠斗", "yuto"),
    ("恵", "megumi"),
    ("誠", "makoto"),
    ("葵", "aoi"),
    ("亮", "ryo"),
    ("由美", "yumi"),
    ("蓮", "ren"),
    ("智子", "tomoko"),
    ("修", "osamu"),
    ("真央", "mao"),
];
const FIRST: [&str; 40] = [
    "Alder", "Amber", "Anchor", "Aspen", "Beacon", "Birch", "Bluebell", "Borealis", "Cedar",
    "Cinder", "Cobalt", "Copper", "Coral", "Crest", "Dune", "Elm", "Ember", "Fjord", "Flint",
    "Garnet", "Glacier", "Harbor", "Heron", "Indigo", "Juniper", "Kestrel", "Lantern", "Larch",
    "Lumen", "Maple", "Meridian", "Nimbus", "Onyx", "Osprey", "Quartz", "Sable", "Summit", "Tidal",
    "Willow", "Zephyr",
];
const SECOND: [&str; 34] = [
    "Analytics",
    "Bank",
    "Biotech",
    "Care",
    "Chemicals",
    "Clinics",
    "Dynamics",
    "Energy",
    "Foods",
    "Freight",
    "Gaming",
    "Health",
    "Hotels",
    "Insurance",
    "Labs",
    "Learning",
    "Logistics",
    "Media",
    "Mobility",
    "Motors",
    "Networks",
    "Optics",
    "Payments",
    "Pharma",
    "Rail",
    "Retail",
    "Robotics",
    "Semiconductor",
    "Shipping",
    "Studios",
    "Systems",
    "Telecom",
    "Travel",
    "Works",
];
const JA_COMPANY: [(&str, &str); 16] = [
    ("青葉", "aoba"),
    ("朝日野", "asahino"),
    ("霞", "kasumi"),
    ("北斗", "hokuto"),
    ("桐生", "kiryu"),
    ("白樺", "shirakaba"),
    ("翠", "midori"),
    ("高砂", "takasago"),
    ("千歳", "chitose"),
    ("鳴海", "narumi"),
    ("雲雀", "hibari"),
    ("藤波", "fujinami"),
    ("松風", "matsukaze"),
    ("瑞穂野", "mizuhono"),
    ("八雲", "yakumo"),
    ("若竹", "wakatake"),
];
const JA_TRADE: [(&str, &str); 10] = [
    ("電機", "denki"),
    ("商事", "shoji"),
    ("物流", "butsuryu"),
    ("製薬", "seiyaku"),
    ("銀行", "ginko"),
    ("精機", "seiki"),
    ("通信", "tsushin"),
    ("保険", "hoken"),
    ("建設", "kensetsu"),
    ("工業", "kogyo"),
];

/// An organization and whether its people write Japanese.
pub struct Customer {
    pub organization: Organization,
    pub japanese: bool,
}

/// The `n`th customer: each name once, about one in six Japanese.
pub fn customer(n: usize, chance: &mut Chance) -> Customer {
    let japanese = n % 8 == 3 && n / 8 + 1 < JA_COMPANY.len() * JA_TRADE.len();
    let (name, stem) = if japanese {
        // The first pair is the customer of the story.
        let k = n / 8 + 1;
        let (a, b) =
            (JA_COMPANY[k % JA_COMPANY.len()], JA_TRADE[(k / JA_COMPANY.len()) % JA_TRADE.len()]);
        (format!("{}{}株式会社", a.0, b.0), format!("{}-{}", a.1, b.1))
    } else {
        let (a, b) = (FIRST[n % FIRST.len()], SECOND[(n / FIRST.len()) % SECOND.len()]);
        let form = ["", " Inc.", " GmbH", " Ltd", " AG", ", Inc."][chance.below(6) as usize];
        (format!("{a} {b}{form}"), format!("{a}-{b}").to_lowercase())
    };
    let top = if japanese {
        "co.jp.example"
    } else {
        ["example", "io.example", "com.example"][chance.below(3) as usize]
    };
    let environment =
        if chance.permille(155) { Environment::Preview } else { Environment::Production };
    let products = match chance.below(100) {
        0..70 => vec!["wic".to_owned()],
        70..92 => vec!["cis".to_owned()],
        _ => vec!["cis".to_owned(), "wic".to_owned()],
    };
    let organization = Organization {
        name,
        environment,
        products,
        domain: format!("{stem}.{top}"),
        vendor: false,
    };
    Customer { organization, japanese }
}

/// The name of somebody: as written, and as it stands in addresses.
pub fn name(japanese: bool, chance: &mut Chance) -> (String, String) {
    if japanese {
        let (f, g) = (JA_FAMILY[chance.below(24) as usize], JA_GIVEN[chance.below(20) as usize]);
        return (format!("{} {}", f.0, g.0), format!("{}.{}", g.1, f.1));
    }
    let (g, f) = (chance.text(&GIVEN), chance.text(&FAMILY));
    let full = if chance.permille(12) { format!("{f}, {g}") } else { format!("{g} {f}") };
    (full, format!("{}.{}", plain(g), plain(f)))
}

/// Lower-case ASCII letters of a name.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'ï' | 'î' => 'i',
            'é' | 'è' | 'ë' | 'ễ' => 'e',
            'ü' => 'u',
            'ä' | 'Å' | 'å' => 'a',
            'ø' => 'o',
            'ñ' => 'n',
            'Ł' | 'ł' => 'l',
            'Ç' | 'ç' => 'c',
            c => c.to_ascii_lowercase(),
        })
        .filter(char::is_ascii_lowercase)
        .collect()
}

/// A record at the proportions of autumn 2023: of 99.6 % nothing but name and e-mail address is
/// contact data, and most fields are blank.
pub fn record(
    customer: &Customer,
    number: i64,
    created: Timestamp,
    event: Timestamp,
    chance: &mut Chance,
) -> Person {
    let (full_name, stem) = name(customer.japanese, chance);
    let email = format!("{stem}{}@{}", number % 9_973, customer.organization.domain);
    let rich = chance.permille(4);
    let last_login = chance.permille(620).then(|| {
        let back = chance.below(90) * chance.below(12) * DAY as u64 + chance.below(DAY as u64);
        Timestamp((event.0 - back as i64).max(created.0))
    });
    let (user_type, role) = match chance.below(1_000) {
        0..620 => ("Customer Standard", "Case Submitter"),
        620..790 => ("Customer Standard", "Case Viewer"),
        790..940 => ("Customer Admin", "Org Super Admin"),
        940..985 => ("Partner", "Delegated Approver"),
        _ => ("Community", "Case Viewer"),
    };
    let text = |yes: bool, t: String| yes.then_some(t);
    Person {
        created_date: Some(created),
        last_login,
        full_name: Some(full_name),
        username: Some(email.clone()),
        company_name: text(chance.permille(300), customer.organization.name.clone()),
        user_type: Some(user_type.into()),
        address: text(
            rich,
            format!("{} Harbour Street, Suite {}", 1 + chance.below(400), 1 + chance.below(90)),
        ),
        last_password_change: last_login.filter(|_| chance.permille(340)),
        role_name: Some(role.into()),
        role_description: text(
            chance.permille(200),
            format!("May {} records, per contract", role.to_lowercase()),
        ),
        phone: text(rich, format!("+1 (555) 010-{:04}", number % 10_000)),
        mobile: text(rich && chance.permille(500), format!("+81 90-0000-{:04}", number % 10_000)),
        time_zone: text(
            chance.permille(350),
            if customer.japanese {
                "Asia/Tokyo"
            } else {
                chance.text(&["Europe/London", "America/Los_Angeles", "Europe/Berlin", "GMT"])
            }
            .into(),
        ),
        saml_federation_id: text(chance.permille(80), format!("{:016x}", chance.next())),
        email: Some(email),
    }
}
