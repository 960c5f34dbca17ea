/** The little of XML that the answers of S3 need. */

/** What stands inside each element of a name, in order. Elements of one name are not inside each other. */
export function innerTexts(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text]) => text!)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

export function unescaped(text: string): string {
  return text.replaceAll(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[String(name)] ?? whole
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16))
  })
}
