/** A place as messages may tell it. */

/** A URL without who is to be there, and by which password: it is also for what is no URL, and may have a secret in it all the same. */
export function shownUrl(text: string): string {
  return text.replace(/\/\/.*@/s, '//…@')
}
