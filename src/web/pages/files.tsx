/** The files of a stack: its own, and those beside it; read, changed, checked, saved. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { FileRow, FileText, ProblemRow } from '../wire.ts'
import { ask, ofStack, Refused, tell } from './ask.ts'
import { Empty, Notice, Waiting } from './bits.tsx'
import type { Schema } from './complete.ts'
import type { Editor } from './editor.ts'
import { go } from './navigate.ts'
import { ProblemList } from './problems.tsx'
import { type PanelProps, pathOf } from './route.ts'
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

function FileEditor({ stack, path, isStack, line, column }: FileEditorProps) {
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor | undefined>(undefined)
  const saved = useRef<FileText | undefined>(undefined)
  const [isChanged, setChanged] = useState(false)
  const [problems, setProblems] = useState<readonly ProblemRow[]>([])
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  const check = async (text: string): Promise<readonly ProblemRow[]> => {
    const found = await tell<readonly ProblemRow[]>(ofStack(stack, 'check'), { texts: { [path]: text } }).catch(
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
    setChanged(editor.current?.text !== now.text)
  }
  useEffect(() => {
    let isGone = false
    const open = async (): Promise<void> => {
      const checks = !readOnly.value && (isStack || /(^|\/)\.env[^/]*$/.test(path))
      if (isStack) schema ??= ask<Schema>('/api/schema')
      const [file, { openEditor }, words] = await Promise.all([
        ask<FileText>(`${ofStack(stack, 'file')}?path=${encodeURIComponent(path)}`),
        import('./editor.ts'),
        isStack ? schema : undefined,
      ])
      if (isGone || !box.current) return
      saved.current = file
      editor.current = openEditor({
        box: box.current,
        text: file.text,
        path,
        isReadOnly: readOnly.value,
        schema: words,
        ...(checks && { check }),
        onChange: text => setChanged(text !== saved.current?.text),
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
  }, [])
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
        {!readOnly.value && (
          <>
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
