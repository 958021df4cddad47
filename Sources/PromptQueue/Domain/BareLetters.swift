/// Letters with marks, in lower case, and the letters that they are without: of the Latin, Greek and Cyrillic scripts.
///
/// From the canonical decompositions of Unicode (https://www.unicode.org/reports/tr15/), and what people type for letters with a
/// stroke.
enum BareLetters {
    private static let groups: [Character: String] = [
        "a": "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ",
        "b": "ḃḅḇ",
        "c": "çćĉċčḉ",
        "d": "ďḋḍḏḑḓđ",
        "e": "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ",
        "f": "ḟ",
        "g": "ĝğġģǧǵḡ",
        "h": "ĥȟḣḥḧḩḫẖħ",
        "i": "ìíîïĩīĭįǐȉȋḭḯỉịı",
        "j": "ĵǰ",
        "k": "ķǩḱḳḵ",
        "l": "ĺļľḷḹḻḽł",
        "m": "ḿṁṃ",
        "n": "ñńņňǹṅṇṉṋ",
        "o": "òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợøǿ",
        "p": "ṕṗ",
        "r": "ŕŗřȑȓṙṛṝṟ",
        "s": "śŝşšșṡṣṥṧṩ",
        "t": "ţťțṫṭṯṱẗŧ",
        "u": "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự",
        "v": "ṽṿ",
        "w": "ŵẁẃẅẇẉẘ",
        "x": "ẋẍ",
        "y": "ýÿŷȳẏẙỳỵỷỹ",
        "z": "źżžẑẓẕ",
        "æ": "ǣǽ",
        "ſ": "ẛ",
        "ʒ": "ǯ",
        "α": "άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ",
        "ε": "έἐἑἒἓἔἕὲέ",
        "η": "ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ",
        "ι": "ΐίϊἰἱἲἳἴἵἶἷὶίῐῑῒΐῖῗ",
        "ο": "όὀὁὂὃὄὅὸό",
        "ρ": "ῤῥ",
        "σ": "ς",
        "υ": "ΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ",
        "ω": "ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ",
        "ϒ": "ϓϔ",
        "а": "ӑӓ",
        "г": "ѓ",
        "е": "ѐёӗ",
        "ж": "ӂӝ",
        "з": "ӟ",
        "и": "йѝӣӥ",
        "к": "ќ",
        "о": "ӧ",
        "у": "ўӯӱӳ",
        "ч": "ӵ",
        "ы": "ӹ",
        "э": "ӭ",
        "і": "ї",
        "ѵ": "ѷ",
        "ә": "ӛ",
        "ө": "ӫ",
    ]

    private static let table: [Unicode.Scalar: Unicode.Scalar] = groups.reduce(into: [:]) { table, group in
        guard let bare = group.key.unicodeScalars.first else { return }
        for letter in group.value.unicodeScalars { table[letter] = bare }
    }

    static func bare(_ letter: Unicode.Scalar) -> Unicode.Scalar { table[letter] ?? letter }
}
