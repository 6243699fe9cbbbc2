/** The files of a stack: its own, and those beside it; read, changed, checked, saved. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Schema } from '../../language/schema.ts'
import type { DefinitionPlace, FileRow, FileText, ProblemRow, StackModel } from '../wire.ts'
import { ask, inquire, ofStack, Refused, tell } from './ask.ts'
import { Empty, Notice, Waiting } from './bits.tsx'
import type { Editor } from './editor.ts'
import { go } from './navigate.ts'
import { ProblemList } from './problems.tsx'
import { type PanelProps, pathOf } from './route.ts'
import type { StackLanguage } from './stack-language.ts'
import { readOnly } from './store.ts'
import { attempt } from './toast.tsx'
import { bytesText } from './words.ts'

export function FilesPanel({ stack, query }: PanelProps) {
  const [rows, setRows] = useState<readonly FileRow[] | undefined>(undefined)
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  const folder = query['folder']
  useEffect(() => {
    const search = folder === undefined ? '' : `?folder=${encodeURIComponent(folder)}`
    ask<readonly FileRow[]>(`${ofStack(stack, 'files')}${search}`).then(setRows, (error: unknown) => {
      if (error instanceof Refused) setRefused(error)
    })
  }, [stack, folder])
  if (refused)
    return (
      <Notice tone="bad" title={refused.message}>
        {refused.hint}
      </Notice>
    )
  if (!rows) return <Waiting what="Reading…" />
  const open = query['file'] ?? rows.find(each => each.named && each.kind === 'file')?.path
  return (
    <section class="files" aria-label="Files">
      <nav class="file-list" aria-label="Files of the stack">
        {folder !== undefined && (
          <a class="file-row" href={pathOf(stack, 'files')}>
            ← all
          </a>
        )}
        {rows.map(({ path, name, kind, bytes, named }) => (
          <a
            key={path}
            class="file-row"
            href={pathOf(
              stack,
              'files',
              kind === 'folder' ? { folder: path } : { ...(folder && { folder }), file: path },
            )}
            aria-current={path === open ? 'true' : undefined}
          >
            <span class="file-name">
              {name}
              {kind === 'folder' ? '/' : ''}
            </span>
            {named && <span class="badge idle">in use</span>}
            {kind === 'file' && !named && <span class="muted file-size">{bytesText(bytes)}</span>}
          </a>
        ))}
      </nav>
      {open === undefined ? (
        <Empty title="Choose a file" />
      ) : (
        <FileEditor
          key={open}
          stack={stack}
          path={open}
          isStack={rows.some(each => each.path === open && each.named) && /\.ya?ml$/.test(open)}
          line={query['line'] === undefined ? undefined : Number(query['line'])}
          column={Number(query['column'] ?? 1)}
        />
      )}
    </section>
  )
}

interface FileEditorProps {
  readonly stack: string
  readonly path: string
  /** The stack is made of it. */
  readonly isStack: boolean
  readonly line: number | undefined
  readonly column: number
}

let schema: Promise<Schema> | undefined

/** What was typed and not saved, by the file, with what it was typed over: it is there again when one comes back. */
const drafts = new Map<string, FileText>()

addEventListener('beforeunload', event => {
  if (drafts.size > 0) event.preventDefault()
})

async function languageOf(stack: string, path: string): Promise<StackLanguage> {
  schema ??= ask<Schema>('/api/schema')
  const [words, { names }] = await Promise.all([schema, ask<StackModel>(ofStack(stack, 'model'))])
  return {
    schema: words,
    names,
    toDefinition(text, line, character) {
      void attempt(async () => {
        const asked = { path, text, line, character }
        const found = await inquire<DefinitionPlace | null>(ofStack(stack, 'definition'), asked)
        if (!found) return
        const { file, line: toLine, column } = found
        go(pathOf(stack, 'files', { file, line: String(toLine), column: String(column) }))
      })
    },
  }
}

function FileEditor({ stack, path, isStack, line, column }: FileEditorProps) {
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor | undefined>(undefined)
  const saved = useRef<FileText | undefined>(undefined)
  const [isChanged, setChanged] = useState(false)
  const [problems, setProblems] = useState<readonly ProblemRow[]>([])
  const [opened, setOpened] = useState(0)
  const revert = (): void => {
    drafts.delete(path)
    setOpened(opened + 1)
  }
  const changed = (text: string): void => {
    if (!saved.current) return
    const isOther = text !== saved.current.text
    setChanged(isOther)
    if (isOther) drafts.set(path, { ...saved.current, text })
    else drafts.delete(path)
  }
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  const check = async (text: string): Promise<readonly ProblemRow[]> => {
    const found = await inquire<readonly ProblemRow[]>(ofStack(stack, 'check'), { texts: { [path]: text } }).catch(
      (error: unknown) => {
        if (error instanceof Refused) return []
        throw error
      },
    )
    setProblems(found)
    return found
  }
  const save = async (): Promise<void> => {
    const text = editor.current?.text
    if (text === undefined || !saved.current || readOnly.value) return
    const { version } = saved.current
    const now = await attempt(() => tell<FileText>(ofStack(stack, 'file'), { path, text, version }, 'PUT'))
    if (!now) return
    saved.current = now
    changed(editor.current?.text ?? now.text)
  }
  useEffect(() => {
    let isGone = false
    const open = async (): Promise<void> => {
      const checks = !readOnly.value && (isStack || /(^|\/)\.env[^/]*$/.test(path))
      const [file, { openEditor }, language] = await Promise.all([
        ask<FileText>(`${ofStack(stack, 'file')}?path=${encodeURIComponent(path)}`),
        import('./editor.ts'),
        isStack ? languageOf(stack, path) : undefined,
      ])
      if (isGone || !box.current) return
      const draft = drafts.get(path)
      // what somebody else has written meanwhile is not written over: saving says so
      saved.current = draft ? { ...file, version: draft.version } : file
      const text = draft?.text ?? file.text
      changed(text)
      editor.current = openEditor({
        box: box.current,
        text,
        path,
        isReadOnly: readOnly.value,
        language,
        ...(checks && { check }),
        onChange: changed,
        onSave: () => void save(),
      })
      if (line !== undefined) editor.current.reveal(line, column)
    }
    open().catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error
      setRefused(error)
    })
    return () => {
      isGone = true
      editor.current?.close()
    }
  }, [opened])
  useEffect(() => {
    if (line !== undefined) editor.current?.reveal(line, column)
  }, [line, column])
  const errors = problems.filter(each => each.severity === 'error').length
  return (
    <div class="file">
      {refused && (
        <Notice tone="bad" title={refused.message}>
          {refused.hint}
        </Notice>
      )}
      <div ref={box} class="editor" />
      <div class="bar file-bar">
        <span class={errors > 0 ? 'bad-text' : 'muted'} role="status">
          {problems.length === 0
            ? isStack && !readOnly.value
              ? 'The stack can be read'
              : ''
            : `${errors} errors, ${problems.length - errors} warnings`}
        </span>
        <span class="spacer" />
        {isStack && <span class="muted editor-keys">Ctrl+Space completes, F12 goes to where a name is given</span>}
        {!readOnly.value && (
          <>
            {isChanged && (
              <button type="button" class="quiet" onClick={revert}>
                Revert
              </button>
            )}
            <button type="button" disabled={!isChanged} onClick={save}>
              Save
            </button>
            <button type="button" class="primary" disabled={isChanged} onClick={() => go(pathOf(stack, 'plan'))}>
              Plan changes
            </button>
          </>
        )}
      </div>
      {problems.length > 0 && <ProblemList stack={stack} problems={problems} />}
    </div>
  )
}
