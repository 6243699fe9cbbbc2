/** What a watch tells while it goes on; whoever runs it prints it, or writes it down. */
export type WatchEvent =
  /** Of develop.watch, in Compose's words. */
  | { readonly kind: 'said'; readonly text: string }
  /** Why a project is brought up again: one sentence each. */
  | { readonly kind: 'causes'; readonly causes: readonly string[] }
  /** A line that a command of sync+exec has printed. */
  | { readonly kind: 'output'; readonly service: string; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  /** The last good state is kept. `doing`: what did not work; `isLast`: it is not tried again while the files, and what runs, stay. */
  | {
      readonly kind: 'failed'
      readonly doing: 'read' | 'converge' | 'develop'
      readonly error: unknown
      readonly isLast?: boolean
    }
  /** The files can be read again, after a failure. */
  | { readonly kind: 'readable' }
  /** The engine cannot be reached; undefined: it has ended in order. */
  | { readonly kind: 'lost'; readonly error: unknown }
  /** It can be reached again. */
  | { readonly kind: 'found' }
