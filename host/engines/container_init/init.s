# The first process of a container that runc starts: process 1 of its pid namespace, for x86-64 Linux.
#
#     init PATH ARGV0 [ARGUMENT]...
#
# It starts the program at PATH with the arguments and environment it was given, collects every process that is
# left to it (the kernel makes process 1 the parent of orphans), and ends as the program ends: with its exit code,
# or 128 + the signal that killed it. Its own end takes all other processes of the namespace along. A program that
# cannot be started is named on stderr; the exit code is then 127 if there is no such file, else 126.
#
# It has no libc, no data and no writable memory but the stack. `make container-init` assembles it into init.hex,
# which is what runs; a test does the same and compares wherever GNU binutils are installed.

        .intel_syntax noprefix
        .set    BASE, 0x400000

# ---- ELF header and the one segment: this file, readable and executable

elf:    .byte   0x7f, 'E', 'L', 'F', 2, 1, 1, 0
        .quad   0
        .short  2, 62                   # an executable, for x86-64
        .long   1
        .quad   BASE + start - elf
        .quad   program - elf           # program headers; there are no section headers
        .quad   0
        .long   0
        .short  64, 56, 2, 0, 0, 0
program:
        .long   1, 5                    # load, read + execute
        .quad   0, BASE, BASE, end - elf, end - elf, 0x1000
        .long   0x6474e551, 6           # the stack: read + write, not executable
        .quad   0, 0, 0, 0, 0, 16

# ---- the program; on entry rsp points to argc, argv[0..argc-1], 0, envp

start:  mov     rbp, rsp
        cmp     qword ptr [rbp], 3      # fewer words than "init PATH ARGV0": nothing to start
        jb      unable
        mov     eax, 57                 # fork
        syscall
        test    eax, eax
        jz      child
        js      unable
        mov     ebx, eax                # ebx: the program's pid

collect:
        mov     eax, 61                 # wait4(any child, status, 0, 0)
        or      rdi, -1
        lea     rsi, [rbp - 8]
        xor     edx, edx
        xor     r10d, r10d
        syscall
        cmp     eax, -10                # no child is left: cannot happen before the program's end
        je      unable
        cmp     eax, ebx
        jne     collect
        mov     edi, [rbp - 8]
        mov     eax, edi
        and     eax, 0x7f
        jz      exited
        lea     edi, [rax + 128]        # killed by a signal
        jmp     leave
exited: shr     edi, 8
        movzx   edi, dil
leave:  mov     eax, 231                # exit_group
        syscall

child:  mov     eax, 109                # setpgid(0, 0): signals to its group do not reach process 1
        xor     edi, edi
        xor     esi, esi
        syscall
        mov     rax, [rbp]
        lea     rdx, [rbp + 8 * rax + 16]       # envp
        mov     rdi, [rbp + 16]
        lea     rsi, [rbp + 24]
        mov     eax, 59                 # execve(PATH, &ARGV0, envp); comes back only on failure
        syscall
        cmp     eax, -2                 # no such file
        mov     ebx, 126
        jne     name
        inc     ebx
name:   lea     rsi, [rip + cannot]
        mov     edx, cannot_end - cannot
        call    say
        mov     rsi, [rbp + 24]
        mov     rdx, rsi
length: cmp     byte ptr [rdx], 0
        je      named
        inc     rdx
        jmp     length
named:  sub     rdx, rsi
        call    say
        lea     rsi, [rip + cannot_end]
        mov     edx, 1
        call    say
        mov     edi, ebx
        jmp     leave

unable: mov     edi, 126
        jmp     leave

say:    mov     eax, 1                  # write(2, rsi, rdx)
        mov     edi, 2
        syscall
        ret

cannot: .ascii  "assay: cannot start "
cannot_end:
        .byte   10
end:
