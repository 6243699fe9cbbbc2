/** Style elements that libraries make are let through by the nonce of the page, and nothing else is. */

export const styleNonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? ''

/** Does `work`; each style element that it makes has the nonce. */
export function withStyleNonce(work: () => void): void {
  const make = document.createElement
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    const element = make.call(document, tag, options)
    if (tag === 'style') element.setAttribute('nonce', styleNonce)
    return element
  }) as Document['createElement']
  try {
    work()
  } finally {
    // the prototype's own is seen again
    Reflect.deleteProperty(document, 'createElement')
  }
}
