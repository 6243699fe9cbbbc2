/** The two documents that the server writes itself: the page that loads all others, and the one for who is not logged in. */

export interface FirstPage {
  readonly entry: string
  readonly style: string
  readonly nonce: string
}

const head = (title: string, more: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title>${more}</head>`

/** The nonce is for style elements that the terminal and the editor make. */
export function firstPage({ entry, style, nonce }: FirstPage): string {
  const links = `<meta name="style-nonce" content="${nonce}"><link rel="icon" href="data:,"><link rel="stylesheet" href="${style}"><script type="module" src="${entry}"></script>`
  return `${head('tscompose', links)}<body><div id="app"></div><noscript>This page needs JavaScript.</noscript></body></html>\n`
}

export function loginPage({ isIn = false }: { readonly isIn?: boolean } = {}): string {
  if (isIn)
    return `${head('tscompose', '<meta http-equiv="refresh" content="0;url=/">')}<body><main><p><a href="/">Go on to the stacks</a></p></main></body></html>\n`
  return `${head('tscompose: not logged in', '')}<body><main><h1>Not logged in</h1><p>Open the address that <code>tscompose web</code> printed last. Each address is good for one login; the terminal shows the next one.</p></main></body></html>\n`
}
