/** The keys of an attached `up`, and what those of Compose's menu say that do nothing here. */
import type { AttachedWatch } from './attached-watch.ts'

export interface Menu {
  readonly line: string
  /** What a key does that neither detaches nor stops; undefined: it is none of the menu. */
  press(key: string): string | undefined
}

/** `watch`: what `w` begins and ends; undefined where it excludes what was asked for. */
export function menuOf(watch: AttachedWatch | undefined): Menu {
  const desktop = 'Docker Desktop, which is not here'
  return {
    line: watch ? 'w watches, d detaches, ^C stops' : 'd detaches, ^C stops',
    press(key) {
      if (key === 'v') return `"v" shows the stack in ${desktop}: see "tscompose ps"`
      if (key === 'o') return `"o" shows the files in ${desktop}: see "tscompose config"`
      if (key !== 'w') return undefined
      if (!watch) return 'Watching excludes what this ends by: what ends while it is watched may come again'
      watch.toggle()
      return undefined
    },
  }
}
