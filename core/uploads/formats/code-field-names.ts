/**
 * Usual names of the column or field with the code, beside `code`, in several languages: in lower case, without accents
 * and separators.
 */
const likeNames = new Set(
  `
  codes thecode couponcode couponcodes coupon coupons vouchercode vouchercodes voucher vouchers vouchernumber voucherno
  couponnumber couponno couponid voucherid promocode promocodes promo promotioncode promotionalcode promotioncodes
  discountcode discountcodes giftcode giftcodes giftcardcode giftcardnumber giftcard rewardcode redemptioncode redeemcode
  offercode barcode serial serialnumber serialcode uniquecode uniquecodes accesscode activationcode licensekey
  codigo codigos cupon cupones codigocupon codigodecupon codigoscupon codigosdecupon codigodelcupon codigodescuento
  codigodedescuento codigopromocional codigopromo codigodepromocion vale vales codigovale
  cupom cupons codigocupom codigodocupom codigodecupom codigodesconto codigodedesconto
  gutschein gutscheine gutscheincode gutscheincodes gutscheinnummer rabattcode rabattcodes aktionscode gutscheinkode
  bon bons codepromo codespromo codepromotionnel codereduction codecoupon codedereduction codecadeau codeavantage
  codice codici codicesconto codicecoupon codicebuono codicepromozionale codicepromo buono buoni buonosconto
  kortingscode kortingscodes actiecode waardebon tegoedbon kode koder kod koden kody kodkuponu kodrabatowy kodyrabatowe
  rabattkod rabattkoder rabatkode rabatkoder rabattkode kampanjkod kupong kuponger kupongkode gavekort gavekortkode
  kupon kupony kuponkodu kuponkod kodekupon kodevoucher koodi koodit alennuskoodi slevovykod poukaz promokod promokodu
  код коды купон купоны промокод промокоды кодкупона コード クーポン クーポンコード プロモコード 代码 优惠码 优惠券 优惠券代码 兑换码
  優惠碼 優惠券 兌換碼 折扣码 코드 쿠폰 쿠폰코드 쿠폰번호 할인코드 كود قسيمة كودالخصم
  `
    .trim()
    .split(/\s+/)
    .map(plain),
);

/** Names that spreadsheets give to unnamed columns, and names with a number, as exports make them of equal names. */
const numbered = /^(\D+)\d{1,4}$/u;
const columnWords = new Set([
  'column',
  'spalte',
  'colonne',
  'columna',
  'coluna',
  'colonna',
  'kolom',
  'kolumn',
  'field',
]);

/** Whether a column or field of this name may be that of the code: `code` itself, or a like name. */
export function isCodeName(name: string): boolean {
  const text = plain(name);
  return text === 'code' || likeNames.has(text);
}

/** Whether a row is a heading and no code. Files that were joined have headings inside. */
export function isHeadingWord(text: string): boolean {
  return !/\d/.test(text) && isCodeName(text);
}

/**
 * Chooses the code's column by its name: the only one called exactly `code`, else the only one in another case, else
 * the only one with a like name.
 * @returns its index; 'none', or 'several' where none is the only one
 */
export function findCodeName(names: readonly string[]): number | 'none' | 'several' {
  const steps: ((name: string) => boolean)[] = [
    (name) => name.trim() === 'code',
    (name) => name.trim().toLowerCase() === 'code',
    isCodeName,
  ];
  for (const isIt of steps) {
    const found = names.flatMap((name, at) => (isIt(name) ? [at] : []));
    if (found.length > 0) return found.length === 1 ? found[0]! : 'several';
  }
  return 'none';
}

/**
 * Whether a text that could be a code could also be the name of a column: it has no digit, is a usual name with a
 * number behind it, or is written like a name with "code" in it. A word has no letter four times in a row.
 */
export function mayBeHeading(text: string): boolean {
  const name = text.trim();
  if (!/\d/.test(name)) return /\p{L}/u.test(name) && !/(\p{L})\1{3}/u.test(name);
  // Codes_BF26, coupon_code_v2: written like a name, and one of its words is "code".
  const isWritten = name !== name.toUpperCase() && !/^codes?-\d+$/i.test(name);
  if (isWritten && name.split(/[-_ .]/).some((part) => /^codes?$/i.test(part))) return true;
  const word = numbered.exec(name)?.[1];
  if (word === undefined || /[-.]$/.test(word)) return false;
  return columnWords.has(plain(word)) || (name !== name.toUpperCase() && isCodeName(word));
}

/** The text in lower case, without accents, separators and invisible characters. */
function plain(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{P}\p{Z}\p{S}\p{C}]+/gu, '');
}
