/** The names by which clients ask for a runtime. There is one, ours; its first name is the one that Docker's clients know the usual one by. */
export const runtimes: Readonly<Record<string, { readonly path: string }>> = {
  runc: { path: 'tscompose' },
  tscompose: { path: 'tscompose' },
}

export const defaultRuntime = 'runc'
