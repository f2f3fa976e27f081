//! STM32F405 (Cortex-M4F, 1 MiB of flash, 128 KiB of RAM): Feather STM32F405, Olimex H405,
//! Netduino Plus 2, and QEMU's `netduinoplus2`.
//!
//! | what | where |
//! |---|---|
//! | serial line | USART1, TX on PA9, RX on PA10, 115,200 baud 8N1 |
//! | LED | PC1, as on the Feather (Olimex H405: PC12, Netduino Plus 2: PA10) |
//! | clock | 168 MHz from the internal oscillator; 16 MHz where the PLL does not lock |
//! | ticks | TIM2, 32 bits; under `qemu -icount shift=0` one an instruction |
//!
//! The linker's memory map (the 64 KiB of core-coupled memory stay unused):
//! ```ld
//! MEMORY {
//!   FLASH : ORIGIN = 0x08000000, LENGTH = 1024K
//!   RAM   : ORIGIN = 0x20000000, LENGTH = 128K
//! }
//! ```

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use cortex_m_rt::{entry, exception};
use gradflow_mcu::{Memory, Meter, serve, stack};
use stm32f4xx_hal::pac::{Peripherals, RCC, TIM2};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{self, BusTimerClock as _, Enable as _};

const BAUD: u32 = 115_200;
/// Reads of a flag after which the clock is taken to be absent, about 10 ms at 16 MHz.
const PATIENCE: u32 = 20_000;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    if let Some(chip) = Peripherals::take() {
        let clock = if pll_locks(&chip.RCC) {
            rcc::Config::hsi().sysclk(168.MHz())
        } else {
            rcc::Config::hsi()
        };
        let mut rcc = chip.RCC.freeze(clock);
        TIM2::enable(&mut rcc);
        chip.TIM2.arr().write(|w| w.set(u32::MAX));
        chip.TIM2.egr().write(|w| w.ug().update());
        chip.TIM2.cr1().write(|w| w.cen().enabled());
        let meter = Ticks { timer: chip.TIM2, per_second: TIM2::timer_clock(&rcc.clocks).raw() };

        let a = chip.GPIOA.split(&mut rcc);
        let led = chip.GPIOC.split(&mut rcc).pc1.into_push_pull_output();
        if let Ok(serial) = chip.USART1.serial((a.pa9, a.pa10), BAUD.bps(), &mut rcc) {
            serve(serial, led, meter, MEMORY, || true);
        }
    }
    sos()
}

/// Tries the PLL as it is after reset (internal oscillator), and switches it off again. In QEMU,
/// which has no model of the clocks, it never locks.
fn pll_locks(rcc: &RCC) -> bool {
    let waits_for = |locked: bool| {
        rcc.cr().modify(|_, w| w.pllon().bit(locked));
        (0..PATIENCE).any(|_| rcc.cr().read().pllrdy().bit() == locked)
    };
    waits_for(true) & waits_for(false)
}

/// TIM2, counting freely.
struct Ticks {
    timer: TIM2,
    per_second: u32,
}

impl Meter for Ticks {
    fn ticks(&self) -> u32 {
        self.timer.cnt().read().bits()
    }

    fn ticks_per_second(&self) -> u32 {
        self.per_second
    }

    fn repaint_stack(&mut self) {
        stack::repaint();
    }

    fn stack_used(&self) -> u32 {
        stack::used()
    }
}

/// The light's SOS for ever: something went wrong that no command can mend.
fn sos() -> ! {
    // SAFETY: whatever used the pin before does not run any more.
    let port = unsafe { Peripherals::steal() }.GPIOC;
    let light = |lit: bool| {
        port.bsrr().write(|w| if lit { w.bs1().set_bit() } else { w.br1().set_bit() });
    };
    gradflow_mcu::sos(light, || cortex_m::asm::delay(16_000_000 / gradflow_mcu::UNITS_PER_SECOND))
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    sos()
}

#[exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    sos()
}
