/** Where in the view one is, as the address says it, and back. */

export const tabs = [
  'services',
  'logs',
  'stats',
  'terminal',
  'plan',
  'files',
  'history',
  'graph',
  'timeline',
  'builds',
  'access',
] as const
export type Tab = (typeof tabs)[number]

export type Route =
  | { readonly page: 'home' }
  | {
      readonly page: 'stack'
      readonly stack: string
      readonly tab: Tab
      readonly query: Readonly<Record<string, string>>
    }

/** What each side of a stack is given. */
export interface PanelProps {
  readonly stack: string
  readonly query: Readonly<Record<string, string>>
}

/** What is no place of ours is the first page. */
export function parseRoute(path: string, search = ''): Route {
  const [, first, stack, tab = 'services', ...rest] = path.replace(/\/$/, '').split('/')
  if (first !== 's' || !stack || rest.length > 0) return { page: 'home' }
  const found = tabs.find(each => each === tab)
  const name = decoded(stack)
  if (found === undefined || name === undefined) return { page: 'home' }
  return { page: 'stack', stack: name, tab: found, query: Object.fromEntries(new URLSearchParams(search)) }
}

export function pathOf(stack: string, tab: Tab = 'services', query: Readonly<Record<string, string>> = {}): string {
  const path = `/s/${encodeURIComponent(stack)}${tab === 'services' ? '' : `/${tab}`}`
  const search = new URLSearchParams(query).toString()
  return search === '' ? path : `${path}?${search}`
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // no text: no stack has such a name
    return undefined
  }
}
