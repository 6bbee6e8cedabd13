/** Keeps two strings that must not be swapped apart at compile time; costs nothing at run time. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
