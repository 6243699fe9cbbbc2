/** What is wrong with the files of a stack, each leading to its place. */
import type { ProblemRow } from '../wire.ts'
import { LineText } from './log-line.tsx'
import { pathOf } from './route.ts'

export function ProblemList({ stack, problems }: { readonly stack: string; readonly problems: readonly ProblemRow[] }) {
  return (
    <ul class="problems">
      {problems.map(({ severity, file, line, column, path, message, hint }) => (
        <li key={`${file}:${line}:${column} ${path} ${message}`} class={severity === 'error' ? 'bad' : 'warn'}>
          <p>
            {file !== undefined && (
              <a class="mono" href={pathOf(stack, 'files', { file, line: String(line), column: String(column) })}>
                {file.slice(file.lastIndexOf('/') + 1)}:{line}:{column}
              </a>
            )}{' '}
            <strong>{path}</strong>
          </p>
          <p>
            <LineText text={message} />
          </p>
          {hint && <p class="muted">{hint}</p>}
        </li>
      ))}
    </ul>
  )
}
