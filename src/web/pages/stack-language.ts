/** What the editor knows of stack files, by the same source as `tscompose lsp`: what may stand at a place, what a key is for, where a name is given. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import type { EditorState, Extension } from '@codemirror/state'
import { EditorView, hoverTooltip, keymap, type Tooltip } from '@codemirror/view'
import { complete, type Proposal } from '../../language/completion.ts'
import { hover } from '../../language/hover.ts'
import type { Section } from '../../language/names.ts'
import type { Schema } from '../../language/schema.ts'

export interface StackLanguage {
  readonly schema: Schema
  /** Given by any file of the stack. */
  readonly names: Readonly<Record<Section, readonly string[]>>
  /** Goes to where that is given which stands at a place; both count from 0. */
  toDefinition(text: string, line: number, character: number): void
}

export function completions(language: StackLanguage) {
  return ({ state, pos, explicit }: CompletionContext): CompletionResult | null => {
    const { lines, line, character } = placeIn(state, pos)
    const { schema, names } = language
    const proposals = complete(lines, { line, character }, { schema, others: section => names[section] })
    const offered = proposals.filter(({ deprecated }) => !deprecated)
    const [first] = offered
    if (!first) return null
    const from = state.doc.line(line + 1).from + first.start
    // unasked where a word has begun, or one must follow
    if (!explicit && from === pos && !/(:|-|\[|,)\s$/.test(state.sliceDoc(Math.max(0, pos - 2), pos))) return null
    return { from, options: offered.map(option), validFor: /^[^\s,[\]{}"'#]*$/ }
  }
}

const kinds = { key: 'property', word: 'constant', name: 'variable' } as const

function option({ label, kind, text, about }: Proposal): Completion {
  return { label, apply: text, type: kinds[kind], ...(about !== undefined && { info: () => markdown(about) }) }
}

/** What a key is for, beside the pointer; F12, and a click with Ctrl or ⌘, go to where a name is given. */
export function helpful(language: StackLanguage): Extension {
  const go = (view: EditorView, at: number): void => {
    const { line, character } = placeIn(view.state, at)
    language.toDefinition(view.state.doc.toString(), line, character)
  }
  return [
    hoverTooltip((view, at) => tooltip(view.state, at, language.schema)),
    keymap.of([
      {
        key: 'F12',
        run(view) {
          go(view, view.state.selection.main.head)
          return true
        },
      },
    ]),
    EditorView.domEventHandlers({
      mousedown(event, view) {
        if (event.button !== 0 || !(event.ctrlKey || event.metaKey)) return false
        const at = view.posAtCoords({ x: event.clientX, y: event.clientY })
        if (at === null) return false
        go(view, at)
        return true
      },
    }),
  ]
}

function tooltip(state: EditorState, at: number, schema: Schema): Tooltip | null {
  const { lines, line, character } = placeIn(state, at)
  const found = hover(lines, { line, character }, schema)
  if (!found) return null
  const { from } = state.doc.line(line + 1)
  return {
    pos: from + found.from,
    end: from + found.to,
    above: true,
    create: () => ({ dom: markdown(found.text) }),
  }
}

/** Both from 0. */
function placeIn({ doc }: EditorState, at: number) {
  const { number, from } = doc.lineAt(at)
  return { lines: doc.toString().split('\n'), line: number - 1, character: at - from }
}

/** As much of Markdown as documentation of attributes uses: paragraphs, **strong** and `code`. */
function markdown(text: string): HTMLElement {
  const box = document.createElement('div')
  box.className = 'hover-text'
  for (const part of text.split(/\n{2,}/)) {
    const paragraph = document.createElement('p')
    for (const piece of part.split(/(\*\*[^*]+\*\*|`[^`]+`)/)) {
      const [, strong, code] = /^(?:\*\*([^*]+)\*\*|`([^`]+)`)$/.exec(piece) ?? []
      const name = strong !== undefined ? 'strong' : code !== undefined ? 'code' : undefined
      if (name === undefined) paragraph.append(piece)
      else paragraph.append(Object.assign(document.createElement(name), { textContent: strong ?? code }))
    }
    box.append(paragraph)
  }
  return box
}
