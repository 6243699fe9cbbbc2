/** The place shown now, kept in the address. */
import { signal } from '@preact/signals'
import { parseRoute, type Route } from './route.ts'

const here = (): Route => parseRoute(location.pathname, location.search)

export const route = signal<Route>(here())

window.addEventListener('popstate', () => {
  route.value = here()
})

export function go(path: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', path)
  else history.pushState(null, '', path)
  route.value = here()
  if (!replace) window.scrollTo(0, 0)
}

/** Links of ours lead on without loading the page anew; with a key for another tab they do what links do. */
export function onLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
  const link = (event.target as Element | null)?.closest('a')
  if (link?.origin !== location.origin || link.target !== '' || link.hasAttribute('download')) return
  if (link.pathname.startsWith('/api/')) return
  event.preventDefault()
  go(link.pathname + link.search)
}
