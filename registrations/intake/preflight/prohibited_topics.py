"""The subjects that carriers don't accept, and the words that indicate them.

Source: docs/twilio.md section 12, row 20, and the codes of section 5.2.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """certain, possible: patterns for an error and for a warning.

    stems: the first 2 to 6 letters of words, separated by spaces. Every match contains a word that starts with one of
    them; texts without such a word skip the slow patterns.
    """

    slug: str
    subject: str
    codes: tuple[int, ...]
    certain: str
    possible: str
    stems: str


TOPICS = (
    Topic(
        "cannabis",
        "cannabis, CBD or illegal substances",
        (30940, 30883),
        r"(?:cbd|thc|cannabis|marijuana|delta-?\s?8)\W+(?:\w+\W+)?(?:gumm(?:y|ies)|oils?|flowers?|edibles?|"
        r"products?|vapes?|strains?|deals?|dispensary|delivery|menu|tinctures?|carts?|seeds?|joints?|"
        r"pre-?rolls?|store|shop)|dispensary (?:deals?|menu|specials?|offers?)|weed (?:edibles|dispensary|"
        r"strains|gummies)|(?:thc|cannabis)-infused|magic mushrooms|psilocybin|kratom (?:powder|capsules|shop|"
        r"store|deals)",
        r"cannabis|marijuana|cbd|thc|dispensary|hemp|kratom|ganja|psychedelics?",
        "cbd thc cannab mariju delta dispen weed magic psiloc kratom hemp ganja psyche",
    ),
    Topic(
        "drugs",
        "prescription or controlled drugs",
        (30941, 30883),
        r"(?:buy|order|cheap|discount(?:ed)?|get|sale on|% off)\W+(?:\w+\W+){0,2}(?:viagra|cialis|xanax|"
        r"adderall|oxycodone|oxycontin|percocet|vicodin|ambien|tramadol|fentanyl|ozempic|semaglutide|"
        r"tirzepatide|wegovy|modafinil|valium)\b|(?:viagra|cialis|xanax|adderall|oxycodone|oxycontin|"
        r"percocet|vicodin|ambien|tramadol|fentanyl|ozempic|semaglutide|tirzepatide|wegovy|modafinil|"
        r"valium)\W+(?:\w+\W+)?(?:refills?|deals?|sale|online|delivered|without)|(?:buy|cheap) (?:\w+ )?steroids|"
        r"anabolic steroids|(?:pills|meds|medications?|pharmacy)\b[^.]{0,40}\b(?:no (?:rx|prescription)|"
        r"without a prescription)",
        r"viagra|cialis|xanax|adderall|oxycodone|oxycontin|percocet|vicodin|ambien|tramadol|fentanyl|ozempic|"
        r"semaglutide|tirzepatide|wegovy|steroids|modafinil|valium|opioids?|prescription (?:drugs?|"
        r"medications?|refills?|meds|pills)|no (?:rx|prescription) (?:needed|required)|without a prescription|"
        r"online pharmacy|weight[- ]loss (?:shots?|injections?|pills)",
        "viagra cialis xanax adder oxycod oxycon percoc vicodi ambien tramad fentan "
        "ozempi semagl tirzep wegovy steroi modafi valium prescr rx opioid pharma weight pills meds medica",
    ),
    Topic(
        "loans",
        "loan marketing",
        (30942, 30895),
        r"payday (?:loans?|advance)|(?:title|personal|short[- ]term|instant|quick|installment|business|"
        r"fast)\s+loans?\b(?=[^.]{0,60}\b(?:offers?|approv\w+|rates?|today|apply|cash|\$|credit|fund\w*))|"
        r"pre-?approved for (?:a |your )?(?:\$|loan|personal loan)|cash advances? (?:up to|today|in minutes|"
        r"now)|(?:borrow|loans?) up to \$",
        r"payday|cash advances?|loan (?:offers?|approvals?|applications?|officer)|loans|lenders?|lending|"
        r"mortgages?|refinanc\w+",
        "payday loan cash lender lendin mortga refina borrow approv preapp",
    ),
    Topic(
        "debt",
        "debt collection or debt relief",
        (30943, 30949),
        r"debt (?:relief|settlement|consolidation|reduction|forgiveness|elimination)|(?:third[- ]party )?debt "
        r"collect(?:ion|or|ors)|collection agency|collect(?:ing)? (?:\w+ )?debts?|student loan forgiveness|"
        r"cut your debt",
        r"debts?|past[- ]due (?:account|balance)s?|delinquent accounts?",
        "debt collec studen delinq past",
    ),
    Topic(
        "credit-repair",
        "credit repair",
        (30950,),
        r"credit (?:repair|restoration|sweep)|(?:fix|repair|boost|raise|rebuild|improve|clean up) (?:your|"
        r"their|his|her|my|our clients'?|bad) credit|remove (?:negative|bad) (?:items|marks) from your credit",
        r"credit scores?|tradelines?|bad credit",
        "credit tradel",
    ),
    Topic(
        "gambling",
        "gambling or betting",
        (30944,),
        r"(?:online|mobile) casinos?|sports?[ -]?betting|sportsbooks?|betting (?:tips|picks|odds|lines)|"
        r"(?:place|make) (?:a|your) bets?|slot machines?|online slots|casino bonus(?:es)?|fantasy sports (?:betting|"
        r"wagers)|poker "
        r"(?:for money|cash games?)",
        r"free spins|casinos?|gambl\w+|betting|wager\w*|poker(?![- ]?faced?\b)|lotter(?:y|ies)|bingo|jackpots?",
        "casino sport bettin beting bet slot spins fantas poker gambl wager lotter bingo jackpo",
    ),
    Topic(
        "sweepstakes",
        "sweepstakes or contests",
        (30945,),
        r"sweepstakes?|(?:you(?:'|’)?(?:ve| have)?|has been) (?:won(?!['’]) (?:a |an |the |our |your )?(?:\w+ "
        r")?(?:prize|gift|\$|cash|iphone|lottery|jackpot|vacation|cruise)|selected to win)|claim your "
        r"(?:prize|winnings)|congratulations,? you are (?:a|the|our) (?:lucky )?winner",
        r"giveaways?|raffles?|enter to win|prize drawings?|win (?:a|an|free|\$)\s?\w+"
        r"|(?:enter|win) (?:our|the|a|this) (?:\w+ )?contest|contest (?:rules|entries|winners?)",
        "sweeps won select claim congra giveaw raffle enter prize win contes",
    ),
    Topic(
        "stocks",
        "stock alerts or investments",
        (30946, 30948),
        r"(?:stock|options|forex|futures|day)[ -]trading\b|(?:stock|options|forex|trading)[ -](?:picks|signals)\b|"
        r"penny stocks?|forex|(?<!in )(?<!in-)(?<!low )(?<!low-)stock (?:market )?alerts?\b(?! when| if)|guaranteed "
        r"profits?|double your (?:money(?! back)|investment)|(?:high|huge)[ -](?:yield|return) invest\w+",
        r"stock (?:market|alerts?|tips)|guaranteed returns?(?! (?:for|within|on|if|policy))|"
        r"investment (?:opportunit\w+|tips|advice)|trading (?:signals|alerts)|"
        r"passive income",
        "stock penny forex tradin tips pick signal guaran double invest passiv yield",
    ),
    Topic(
        "crypto",
        "cryptocurrency",
        (30947,),
        r"(?:buy|sell|trade|mine|invest in|earn|free) (?:\w+ )?(?:bitcoin|crypto\w*|ethereum|nfts?|btc|eth|"
        r"dogecoin)\b|(?:crypto\w*|bitcoin|nft|altcoin)[ -](?:signals?|investments?|trading|wallet|coins?|"
        r"alerts?|drops?|tips|mining)",
        r"crypto(?:currenc(?:y|ies))?|bitcoins?|ethereum|nfts?|blockchain",
        "crypto bitcoi ethere nft btc eth dogeco altcoi blockc",
    ),
    Topic(
        "earning",
        "lead generation, multi-level marketing or earning schemes",
        (30951, 30962),
        r"multi-?level marketing|\bmlm\b|network marketing|(?:grow|build) your downline|affiliate marketing|"
        r"sell(?:ing)? (?:their |your |the )?leads|(?:earn|make) (?:up to )?\$(?:\d{3}|\d+[,k])[\d,]*k?\+? "
        r"?(?:a|per|every|/) ?(?:day|week|month)|make money (?:from home|online|fast)|get rich(?= (?:quick|fast|now|"
        r"today|from|with|by|in)\b|[.!?]|$)|work[- ]from[- "
        r"]home (?:opportunit\w+|jobs?|business|income)|be your own boss|secret shopper",
        r"affiliate (?:links?|offers?|program\w*)|work[- ]from[- ]home|lead[ -]gen(?:eration)?|(?:earn|make) "
        r"(?:up to )?\$(?:\d{3}|\d+[,k])|extra income|financial freedom|business opportunit\w+|downline|side hustle",
        "multi mlm networ downli affili lead earn make "
        "money rich work boss shoppe extra freedo busine hustle",
    ),
    Topic(
        "adult",
        "sexual or adult content",
        (30953, 30883),
        r"(?<!car )(?<!load )(?<!funeral )(?<!vehicle )(?<!motorcycle )escort (?:service|agency|girl)s?\b(?! for)|"
        r"adult (?:content|entertainment|videos?|toys?|chat|films?|dating)|"
        r"porn\w*|xxx (?:videos?|content|pics)|onlyfans|strip clubs?|male strippers|exotic dancers?|sex "
        r"(?:toys?|chat|cams?|shop|work\w*)|nude (?:photos?|pics?|videos?)|(?:erotic|sensual|nuru|tantric) "
        r"massage|happy ending massage|hookups? (?:app|site|tonight|near)|webcam (?:girls?|models?)",
        r"sexy|sex|nudes|erotic\w*|boudoir|adults?[- ]only|18\+|lingerie|hot singles|kinky|fetish",
        "escort adult porn xxx onlyfa strip sex nude erotic sensua nuru tantri "
        "ending hookup webcam boudoi 18 linger single kinky fetish clubs exotic male",
    ),
    Topic(
        "hate",
        "hate or violence",
        (30954, 30883),
        r"white (?:power(?! ?wash)|supremac\w+|pride(?! of))|racial purity|ethnic cleansing|kill (?:all|the) (?:jews|"
        r"muslims|blacks|gays|immigrants|whites|christians)|death to (?:all|america|israel|jews|muslims|"
        r"infidels)|race war|neo-?nazi\w*",
        r"hate speech|militia|nazis?|extremis[tm]\w*",
        "white racial ethnic kill death race neo neonaz nazi hate militi extrem",
    ),
    Topic(
        "firearms",
        "firearms or explosives",
        (30957, 30883),
        r"(?:buy|sell|sells|selling|sales?|sale on|deals? on|discounts? on|shop for|new|used|% "
        r"off)\W+(?:\w+\W+){0,1}(?:firearms?|rifles?|handguns?|pistols?|shotguns?|ammo|ammunition|"
        r"ar-?15s?)\b(?![- ](?:grip|squat))|"
        r"(?<!glue )(?<!nail )(?<!heat )(?<!massage )(?<!spray )(?<!staple )(?<!caulk )(?<!tattoo )(?<!water )"
        r"(?:guns?|firearms?|ammo|ammunition|rifles?) (?:sales?|deals?|shops?|stores?|specials?|shows?|"
        r"dealers?|restock\w*)|guns (?:and|&) ammo|ghost guns?|gun silencers?|9mm (?:ammo|rounds)",
        r"(?:guns?|firearms?|rifles?|handguns?|pistols?|shotguns?|ammo|ammunition|ar-?15s?)|explosives|"
        r"fireworks (?:sales?|stand|stores?|for sale|deals?)|concealed carry|gunsmith\w*",
        "gun firear rifle handgu pistol shotgu ammo ammuni ar silenc 9mm explos firewo concea",
    ),
    Topic(
        "tobacco",
        "tobacco or vaping",
        (30958, 30883),
        r"vape (?:shops?|juices?|deals?|sales?|flavou?rs?|pens?|stores?|kits?)|(?:disposable|new) vapes|"
        r"e-?cig(?:arette)?s?\b|e-?liquids?|(?:cigars?|cigarettes?|tobacco|hookah|nicotine) (?:sales?|deals?|"
        r"shops?|stores?|specials?|lounge|products|pouches|bar|club|of the month)",
        r"tobacco|cigars?|cigarettes?|vap(?:e|es|ing)|hookah|nicotine|juul|zyn",
        "vape vaping ecig cig eliqui liquid tobacc hookah nicoti juul zyn",
    ),
    Topic(
        "phishing",
        "phishing or deceptive messages",
        (30959, 30960, 30884),
        r"your (?:\w+ )?account (?:has been|is|was) (?:suspended|locked|limited(?! to)|compromised)|verify your "
        r"(?:bank(?! app)|password|ssn|social security)|(?:locked|suspended|blocked)[^.]{0,40}verify your (?:account|"
        r"identity)|(?:confirm|send|enter) your (?:ssn|social security|bank (?:account|details))\b|"
        r"(?:claim|win|won) (?:a |an |your |our )?(?:free |new )?(?:iphone|ipad)\b",
        r"free (?:iphone|ipad)|social security number|(?:confirm|send|enter|update) your (?:credit card (?:number|"
        r"details)|"
        r"password)|verify your (?:account|identity)|free gift ?card|act now|wire transfer|gift "
        r"?cards? (?:codes?|numbers?)|guaranteed (?:approval|income|winner|results)|risk[- ]free|100% free",
        "accoun verify iphone ipad gift act social wire guaran risk "
        "100 ssn bank credit passwo identi locked suspen blocke free verify confir",
    ),
)
