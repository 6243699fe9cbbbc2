/** The editor of files (codemirror): YAML of stacks with the loader's own errors and completion, all else as text. */
import { autocompletion } from '@codemirror/autocomplete'
import { yaml } from '@codemirror/lang-yaml'
import { type Diagnostic, linter, lintGutter } from '@codemirror/lint'
import { unifiedMergeView } from '@codemirror/merge'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'
import { basicSetup } from 'codemirror'
import type { ProblemRow } from '../wire.ts'
import { completions, helpful, type StackLanguage } from './stack-language.ts'
import { styleNonce } from './style-nonce.ts'

export interface EditorOptions {
  readonly box: HTMLElement
  readonly text: string
  readonly path: string
  readonly isReadOnly: boolean
  /** Of a stack file. */
  readonly language?: StackLanguage | undefined
  /** What is wrong with the text, wherever it is; absent: nobody knows. */
  check?(text: string): Promise<readonly ProblemRow[]>
  onChange?(text: string): void
  onSave?(): void
}

export interface Editor {
  readonly text: string
  /** Shows a place; both count from 1. */
  reveal(line: number, column: number): void
  close(): void
}

const look = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--surface)', color: 'var(--text)', fontSize: '13px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--muted)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--accent-soft) 55%, transparent)',
  },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-soft) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--surface)', color: 'var(--text)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--on-accent)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  '.cm-insertedLine, .cm-changedLine': { backgroundColor: 'var(--good-soft) !important' },
  '.cm-deletedChunk': { backgroundColor: 'var(--bad-soft) !important' },
})

/** Colours that are readable in dark and light. */
const colours = EditorView.theme({
  '.ͼb, .ͼi': { color: 'light-dark(#8e2f9c, #e39af0)' },
  '.ͼc, .ͼd, .ͼe': { color: 'light-dark(#1a6b37, #7ee2a0)' },
  '.ͼg, .ͼh, .ͼl': { color: 'light-dark(#0b5fa5, #7cc0ff)' },
  '.ͼm': { color: 'var(--muted)' },
})

export function openEditor(options: EditorOptions): Editor {
  const { box, text, path, isReadOnly, language, check, onChange, onSave } = options
  const isYaml = /\.ya?ml$/.test(path)
  const extensions: Extension[] = [
    basicSetup,
    look,
    colours,
    EditorView.cspNonce.of(styleNonce),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': `Text of ${path}`, tabindex: '0' }),
    EditorState.readOnly.of(isReadOnly),
    keymap.of([
      {
        key: 'Mod-s',
        run() {
          onSave?.()
          return true
        },
      },
    ]),
    EditorView.updateListener.of(update => {
      if (update.docChanged) onChange?.(update.state.doc.toString())
    }),
    ...(isYaml ? [yaml()] : []),
    ...(language ? [autocompletion({ override: [completions(language)] }), helpful(language)] : []),
    ...(check ? [lintGutter(), linter(view => diagnostics(view, path, check), { delay: 350 })] : []),
  ]
  const view = new EditorView({ parent: box, state: EditorState.create({ doc: text, extensions }) })
  return {
    get text() {
      return view.state.doc.toString()
    },
    reveal(line, column) {
      const { from, to } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines))
      const anchor = Math.min(from + Math.max(column, 1) - 1, to)
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) })
      view.focus()
    },
    close: () => view.destroy(),
  }
}

/** Two texts as one, what went and what came marked. */
export function openComparison({ box, before, after }: { box: HTMLElement; before: string; after: string }): Editor {
  const readOnly = new Compartment()
  const view = new EditorView({
    parent: box,
    state: EditorState.create({
      doc: after,
      extensions: [
        basicSetup,
        look,
        colours,
        yaml(),
        EditorView.cspNonce.of(styleNonce),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'What has changed', tabindex: '0' }),
        readOnly.of([EditorState.readOnly.of(true), EditorView.editable.of(false)]),
        unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
      ],
    }),
  })
  return {
    get text() {
      return view.state.doc.toString()
    },
    reveal: () => undefined,
    close: () => view.destroy(),
  }
}

async function diagnostics(
  view: EditorView,
  path: string,
  check: (text: string) => Promise<readonly ProblemRow[]>,
): Promise<readonly Diagnostic[]> {
  const { doc } = view.state
  const problems = await check(doc.toString())
  return problems.flatMap(({ file, line, column, severity, message, hint }) => {
    if (file !== path || line === undefined || line > doc.lines) return []
    const { from: start, to: end, text } = doc.line(line)
    const from = Math.min(start + (column ?? 1) - 1, end)
    const word = /^[\w.-]+/.exec(text.slice(from - start))?.[0].length ?? 0
    return [
      {
        from,
        to: Math.max(from + word, Math.min(from + 1, end)),
        severity,
        message: hint ? `${message}\n${hint}` : message,
      },
    ]
  })
}
